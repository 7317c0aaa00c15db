//! Without a rule bytes and ends of streams pass as they are.

use std::io::ErrorKind;

use super::*;

#[tokio::test]
async fn both_directions_pass_and_are_counted() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.pair().await;
    say(&mut client, b"ask").await;
    assert_eq!(hear(&mut server, 3).await, b"ask");
    say(&mut server, b"answer").await;
    assert_eq!(hear(&mut client, 6).await, b"answer");
    let expected = LinkCounters {
        listening: true,
        connections: 1,
        open: 1,
        to_server: 3,
        to_client: 6,
        ..LinkCounters::default()
    };
    // What has been read may be counted a moment later.
    stage.until(|counters| *counters == expected).await;
}

#[tokio::test]
async fn a_stream_that_is_ended_one_way_goes_on_the_other() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.pair().await;
    say(&mut client, b"last").await;
    client.shutdown().await.unwrap();
    assert_eq!(hear_out(&mut server).await, (b"last".to_vec(), None));
    say(&mut server, b"still here").await;
    assert_eq!(hear(&mut client, 10).await, b"still here");
    drop(server);
    assert_eq!(hear_out(&mut client).await, (Vec::new(), None));
    stage.until(|counters| counters.open == 0).await;
}

#[tokio::test]
async fn a_reset_of_the_server_is_a_reset_for_the_client() {
    let stage = Stage::new().await;
    let (mut client, server) = stage.pair().await;
    server.set_zero_linger().unwrap();
    drop(server);
    let (_, end) = hear_out(&mut client).await;
    assert_eq!(end, Some(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_reset_for_the_client() {
    let proxies = Proxies::start().unwrap();
    let opened = proxies.open("broker", None, None, Protocol::Opaque, 1);
    let link = opened.await.unwrap();
    // The reset may come before the client has looked at its connection.
    let end = match connect(link.address()).await {
        Ok(mut client) => hear_out(&mut client).await.1,
        Err(error) => Some(error.kind()),
    };
    assert_eq!(end, Some(ErrorKind::ConnectionReset));

    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    link.set_upstream(server.local_addr().unwrap());
    let mut client = connect(link.address()).await.unwrap();
    let (mut server, _) = within(server.accept()).await.unwrap();
    say(&mut client, b"now").await;
    assert_eq!(hear(&mut server, 3).await, b"now");
}

#[tokio::test]
async fn the_end_of_the_proxy_closes_every_socket_and_rules_are_over() {
    let stage = Stage::new().await;
    let (mut client, _server) = stage.pair().await;
    let Stage { link, proxies, .. } = stage;
    drop(proxies);
    assert_eq!(hear_out(&mut client).await.0, b"");
    let refused = connect(link.address()).await.map_err(|error| error.kind());
    assert_eq!(refused.err(), Some(ErrorKind::ConnectionRefused));
    let ended = link.clear().await.unwrap_err();
    assert_eq!(ended.to_string(), "the proxy has ended");
}

#[tokio::test]
async fn a_port_that_somebody_has_is_refused() {
    let stage = Stage::new().await;
    let proxies = Proxies::start().unwrap();
    for taken in [stage.server.local_addr().unwrap(), stage.link.address()] {
        let opened = proxies.open("late", Some(taken.port()), None, Protocol::Opaque, 1);
        assert!(opened.await.is_err(), "{taken}");
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_read_stops_the_sender() {
    let stage = Stage::new().await;
    let (client, mut server) = stage.pair().await;
    let lot = vec![7; 1 << 20];
    let mut written = 0;
    // The sockets' own buffers, of both connections, and what the proxy holds.
    while written < 64 << 20 {
        let writable = tokio::time::timeout(Duration::from_millis(500), client.writable()).await;
        if writable.is_err() {
            break;
        }
        written += client.try_write(&lot).unwrap_or(0);
    }
    assert!(written < 64 << 20, "nobody stopped the sender");
    assert!(
        stage.link.counters().held <= 65 << 10,
        "{:?}",
        stage.link.counters()
    );
    assert_eq!(hear(&mut server, written).await, vec![7; written]);
}
