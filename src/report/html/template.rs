//! Fills the places of a template, once: what is filled in is never looked at again.

/// Each `{{name}}` is replaced by what `value` has for the name.
pub(super) fn fill<'a>(
    template: &str,
    mut value: impl FnMut(&str) -> std::borrow::Cow<'a, str>,
) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after
            .split_once("}}")
            .expect("every place in a template of ours ends");
        out.push_str(before);
        out.push_str(&value(name));
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        let text = fill("<{{a}}{{b}}>", |name| match name {
            "a" => "{{b}}".into(),
            _ => "2".into(),
        });
        assert_eq!(text, "<{{b}}2>");
    }
}
