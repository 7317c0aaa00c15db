//! The tasks of an HTTP/2 connection, polled by the task that owns the connection and ending with
//! it: none runs on by itself when the connection is given up.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use futures_util::stream::{FuturesUnordered, StreamExt};

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Takes tasks that are to run beside a connection.
#[derive(Clone, Default)]
pub(super) struct Tasks(Rc<RefCell<Vec<Task>>>);

impl<F: Future + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, future: F) {
        self.0.borrow_mut().push(Box::pin(async move {
            future.await;
        }));
    }
}

impl Tasks {
    /// The connection with its tasks as one future.
    pub(super) async fn beside<T>(self, connection: impl Future<Output = T>) -> T {
        let mut connection = pin!(connection);
        let mut running = FuturesUnordered::new();
        poll_fn(|cx| {
            loop {
                running.extend(self.0.borrow_mut().drain(..));
                // What the tasks have learnt, such as a close, the connection sees at once.
                while let Poll::Ready(Some(())) = running.poll_next_unpin(cx) {}
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    return Poll::Ready(ended);
                }
                if self.0.borrow().is_empty() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}
