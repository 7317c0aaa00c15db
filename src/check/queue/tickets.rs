//! Tickets as numbers: no two users have the same, and none is missing but those that nobody may
//! have been told of.

use super::gather::{Line, Ticket};
use super::{Judge, Needs, no_data};
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};

/// No ticket belongs to two users. One user may be told the same again.
pub(super) fn distinct(line: &Line<'_>, judge: Judge<'_>) -> DraftPart {
    let name = "tickets";
    if line.tickets.is_empty() {
        return no_data(name, none(line));
    }
    let tickets = sorted(line);
    let mut pick: Pick<(Ticket, Ticket)> = Pick::default();
    for same in tickets.chunk_by(|one, other| one.number == other.number) {
        let holders = same.chunk_by(|one, other| one.user == other.user);
        let holders: Vec<Ticket> = holders.map(|of_user| of_user[0]).collect();
        for other in holders.iter().skip(1) {
            let item = (*other, holders[0]);
            pick.offer(other.user, other.inv_ns, holders.len() as u64, item);
        }
    }
    let verdict = judge.verdict(pick.count > 0, Needs::WhatIsThere);
    let entries = count_of(tickets.len() as u64, "ticket");
    let detail = match pick.count {
        0 => format!("{entries}, no two users with the same{}", unread(line)),
        more => format!(
            "{more} of {entries} belong to somebody else as well{}",
            unread(line)
        ),
    };
    DraftPart::new(name, verdict, pick.count, detail).with(|| {
        pick.cases(|(ticket, first)| {
            let text = format!("told the ticket {}, which was also told to", ticket.number);
            DraftCase::of(ticket.user, text)
                .at(Some(ticket.attempt()))
                .other(Some(first.user))
        })
    })
}

/// Between the lowest and the highest ticket no more are missing than requests to enter are without
/// a certain answer.
pub(super) fn gaps(line: &Line<'_>, judge: Judge<'_>) -> DraftPart {
    let name = "gaps";
    let mut tickets = sorted(line);
    tickets.dedup_by_key(|ticket| ticket.number);
    let (Some(first), Some(last)) = (tickets.first(), tickets.last()) else {
        return no_data(name, none(line));
    };
    let between = last.number - first.number;
    let missing = between - (tickets.len() as u64 - 1);
    let uncertain = line.uncertain + line.without_ticket;
    let verdict = judge.verdict(missing > uncertain, Needs::Whole);
    let asked = count_of(uncertain, "request");
    let detail = format!(
        "{missing} missing between {} and {}, and {asked} to enter without a certain ticket",
        first.number, last.number
    );
    let part = DraftPart::new(name, verdict, missing.saturating_sub(uncertain), detail);
    part.with(|| {
        let mut pick: Pick<(Ticket, Ticket)> = Pick::default();
        for pair in tickets
            .windows(2)
            .filter(|pair| pair[1].number - pair[0].number > 1)
        {
            let width = pair[1].number - pair[0].number;
            pick.offer(pair[1].user, pair[1].inv_ns, width, (pair[1], pair[0]));
        }
        pick.cases(|(ticket, before)| {
            let text = format!(
                "told the ticket {}, and the next lower one that anybody was told is {}, of",
                ticket.number, before.number
            );
            DraftCase::of(ticket.user, text)
                .at(Some(ticket.attempt()))
                .other(Some(before.user))
        })
    })
}

/// Why there is no ticket.
pub(super) fn none(line: &Line<'_>) -> String {
    match (line.entries, line.without_ticket) {
        (0, _) => "nobody entered the queue".to_owned(),
        (entries, 0) => format!(
            "{} entered, and no ticket was kept",
            count_of(entries, "user")
        ),
        (_, answers) => format!("no whole number in {}", count_of(answers, "answer")),
    }
}

fn unread(line: &Line<'_>) -> String {
    match line.without_ticket {
        0 => String::new(),
        answers => format!("; {} had none", count_of(answers, "answer")),
    }
}

fn sorted(line: &Line<'_>) -> Vec<Ticket> {
    let mut tickets = line.tickets.clone();
    tickets.sort_unstable();
    tickets
}
