//! The left side of a threshold in the scenario: a metric and the tags that narrow it.

use super::ThresholdError;
use crate::measure::metric::list;
use crate::measure::{CustomMetric, Metric, Tag};

/// What stands before the tags.
pub fn key_name(text: &str) -> &str {
    let name = text.split_once('{').map_or(text, |(name, _)| name);
    name.trim()
}

/// Reads `metric` or `metric{tag:value,tag2:value2}`; a value that holds a comma or a brace stands
/// in quotes. The metric may be one of those that the scenario declares.
///
/// # Errors
/// An unknown metric or tag, a tag that the metric is not kept apart by, or braces that do not
/// match.
pub fn parse_key(
    text: &str,
    declared: &[CustomMetric],
) -> Result<(Metric, Vec<(Tag, String)>), ThresholdError> {
    let text = text.trim();
    let Some((_, rest)) = text.split_once('{') else {
        if text.contains('}') {
            return Err(malformed_key(text));
        }
        return Ok((Metric::find(text, declared)?, Vec::new()));
    };
    let metric = Metric::find(key_name(text), declared)?;
    let inner = rest.strip_suffix('}').ok_or_else(|| malformed_key(text))?;
    let mut tags = Vec::new();
    for pair in split_unquoted(inner) {
        let (tag, value) = pair.split_once(':').ok_or_else(|| malformed_key(text))?;
        let (tag, value) = (unquoted(tag), unquoted(value));
        if tag.is_empty() || value.is_empty() {
            return Err(malformed_key(text));
        }
        let tag: Tag = tag.parse()?;
        if !metric.tags().contains(&tag) {
            return Err(unfit_tag(&metric, tag));
        }
        if tags.iter().any(|(known, _)| *known == tag) {
            return Err(ThresholdError::new(
                format!("the tag `{tag}` stands twice in `{text}`"),
                "all tags must match at once: make a threshold of its own for each value",
            ));
        }
        tags.push((tag, value.to_owned()));
    }
    Ok((metric, tags))
}

fn malformed_key(text: &str) -> ThresholdError {
    ThresholdError::new(
        format!("`{text}` is no metric with tags"),
        "write metric or metric{tag:value,tag2:value2}",
    )
}

fn unfit_tag(metric: &Metric, tag: Tag) -> ThresholdError {
    let hint = if tag == Tag::Fault {
        "`rate{fault:NAME}` is the share that failed while a fault was active; `recovery` and \
         `detection` have the tag, too"
            .to_owned()
    } else if metric.tags().is_empty() {
        format!("`{metric}` has no tags: it is measured for the whole run")
    } else {
        list("its tags", metric.tags().iter().map(|tag| tag.name()))
    };
    ThresholdError::new(format!("`{metric}` is not measured by {tag}"), hint)
}

fn split_unquoted(text: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    text.split(move |char| {
        match (quote, char) {
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            _ => {}
        }
        quote.is_none() && char == ','
    })
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let mut quotes = ['"', '\''].into_iter();
    let inside = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    quotes.find_map(inside).unwrap_or(text).trim()
}
