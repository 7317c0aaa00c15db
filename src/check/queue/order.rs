//! Tickets in time: who asked after somebody else's ticket was there has a higher one.
//!
//! A sweep over the requests by the time at which they were sent, with the highest ticket of those
//! that were complete before.

use super::gather::{Line, Ticket};
use super::{Judge, Needs, no_data, tickets};
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::check::moments::span;

pub(super) fn part(line: &Line<'_>, judge: Judge<'_>) -> DraftPart {
    let name = "ticket_order";
    if line.tickets.len() < 2 {
        let detail = match line.tickets.len() {
            0 => tickets::none(line),
            _ => "a single ticket is in no order".to_owned(),
        };
        return no_data(name, detail);
    }
    let wrong = wrong(&line.tickets);
    let verdict = judge.verdict(wrong.count > 0, Needs::WhatIsThere);
    let all = count_of(line.tickets.len() as u64, "ticket");
    let detail = match wrong.count {
        0 => format!("{all}, none lower than one that was there before it was asked for"),
        lower => format!("{lower} of {all} lower than one that was there before it was asked for"),
    };
    DraftPart::new(name, verdict, wrong.count, detail).with(|| {
        wrong.cases(|(ticket, earlier)| {
            let text = format!(
                "told the ticket {}, although {} before asking for it the ticket {} was there, of",
                ticket.number,
                span(ticket.inv_ns - earlier.ret_ns),
                earlier.number
            );
            DraftCase::of(ticket.user, text)
                .at(Some(ticket.attempt()))
                .other(Some(earlier.user))
        })
    })
}

/// Each ticket that is too low, with the highest that was there before.
fn wrong(tickets: &[Ticket]) -> Pick<(Ticket, Ticket)> {
    let mut asked = tickets.to_vec();
    asked.sort_unstable_by_key(|one| (one.inv_ns, one.number));
    let mut there = tickets.to_vec();
    there.sort_unstable_by_key(|one| (one.ret_ns, one.number));
    let mut there = there.into_iter().peekable();
    let mut highest: Option<Ticket> = None;
    let mut pick = Pick::default();
    for ticket in asked {
        while let Some(one) = there.next_if(|one| one.ret_ns < ticket.inv_ns) {
            if highest.is_none_or(|known| known.number < one.number) {
                highest = Some(one);
            }
        }
        if let Some(earlier) = highest.filter(|known| known.number > ticket.number) {
            let gap = earlier.number - ticket.number;
            pick.offer(ticket.user, ticket.inv_ns, gap, (ticket, earlier));
        }
    }
    pick
}
