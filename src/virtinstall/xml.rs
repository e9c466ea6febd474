//! The little of libvirt's XML that is needed.

/// Whether a host of these capabilities has KVM.
pub(super) fn has_kvm(capabilities: &str) -> bool {
    ["<domain type='kvm'", "<domain type=\"kvm\""]
        .iter()
        .any(|element| capabilities.contains(element))
}

/// Where the screen of a machine of this description can be seen: `127.0.0.1:5900`.
pub(super) fn display(domain: &str) -> Option<String> {
    let graphics = domain.split("<graphics ").nth(1)?.split('>').next()?;
    let kind = attribute(graphics, "type")?;
    let port = attribute(graphics, "port").filter(|port| *port != "-1")?;
    let host = attribute(graphics, "listen").unwrap_or("127.0.0.1");
    Some(format!("{kind}://{host}:{port}"))
}

/// Whether a machine of this description has a file with the variables of its firmware.
pub(super) fn has_variables(domain: &str) -> bool {
    domain.contains("<nvram")
}

/// A storage pool of the files in `directory`.
pub(super) fn pool(name: &str, directory: &str) -> String {
    let (name, directory) = (escaped(name), escaped(directory));
    format!("<pool type='dir'><name>{name}</name><target><path>{directory}</path></target></pool>")
}

/// Where the files of a storage pool of this description are.
pub(super) fn pool_path(pool: &str) -> Option<String> {
    let (_, rest) = pool.split_once("<path>")?;
    let (path, _) = rest.split_once("</path>")?;
    Some(unescaped(path))
}

/// The value of the attribute `name` among those of an element.
fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = element.split_once(&format!("{name}="))?;
    let quote = rest.chars().next()?;
    rest[1..].split(quote).next()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn unescaped(text: &str) -> String {
    text.replace("&gt;", ">")
        .replace("&lt;", "<")
        .replace("&apos;", "'")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kvm_is_one_of_the_types_of_a_guest() {
        assert!(has_kvm(
            "<arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch>"
        ));
        assert!(!has_kvm("<arch name='x86_64'><domain type='qemu'/></arch>"));
    }

    #[test]
    fn the_screen_has_an_address_once_it_has_a_port() {
        for (graphics, expected) in [
            (
                "<graphics type='vnc' port='5901' autoport='yes' listen='127.0.0.1'>",
                Some("vnc://127.0.0.1:5901"),
            ),
            (
                "<graphics type='spice' port='5900' autoport='yes'/>",
                Some("spice://127.0.0.1:5900"),
            ),
            ("<graphics type='vnc' port='-1' autoport='yes'/>", None),
            ("", None),
        ] {
            let domain = format!("<domain><devices>{graphics}</devices></domain>");
            assert_eq!(display(&domain).as_deref(), expected);
        }
    }

    #[test]
    fn paths_are_escaped() {
        let expected = "<pool type='dir'><name>p</name><target><path>/a&amp;b/&lt;c&gt;</path></target></pool>";
        assert_eq!(pool("p", "/a&b/<c>"), expected);
        assert_eq!(pool_path(expected).as_deref(), Some("/a&b/<c>"));
        assert_eq!(pool_path("<pool type='logical'/>"), None);
    }
}
