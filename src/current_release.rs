//! The current release of the distribution, asked of the network and then of this machine.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use foreign::address::masked;

use crate::distribution::Distribution;
use crate::hdds::releases::{Current, parse_osinfo, parse_release_document};

/// The variable with the address of the release document.
pub const URL_VARIABLE: &str = "CREATEHDDS_RELEASE_URL";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The document has a few kilobytes. Anything much longer is something else.
const LONGEST_DOCUMENT: u64 = 1 << 20;

/// The current release of `distribution`: from the document at `url`, or else from the list that
/// `osinfo` gives, which is what `osinfo-query os --fields=short-id,version` prints.
///
/// # Errors
/// Why neither knows it, and how to do without.
pub fn current_release(
    distribution: &Distribution,
    url: &str,
    osinfo: impl FnOnce() -> Result<String>,
) -> Result<Current> {
    let network = match from_network(url, distribution) {
        Ok(release) => return Ok(release),
        Err(error) => masked(&format!("{error:#}")),
    };
    let url = masked(url);
    tracing::warn!("can't learn the current release from {url}: {network}; asking osinfo");
    match osinfo().and_then(|list| parse_osinfo(&list, distribution.os_prefix())) {
        Ok(number) => Ok(Current {
            is_doubtful: true,
            ..number.into()
        }),
        Err(local) => bail!(
            "can't find out the current release; give the next one with -n/--nextrel \
             ({url}: {network}; osinfo-query: {local:#})"
        ),
    }
}

fn from_network(url: &str, distribution: &Distribution) -> Result<Current> {
    let text = fetch(url)?;
    parse_release_document(&text, distribution.name).context("the answer is no release document")
}

fn fetch(url: &str) -> Result<String> {
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(WHOLE_TIMEOUT))
        .user_agent(concat!("createhdds/", env!("CARGO_PKG_VERSION")))
        .build();
    let mut response = config.new_agent().get(url).call()?;
    let body = response.body_mut().with_config().limit(LONGEST_DOCUMENT);
    Ok(body.read_to_string()?)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// The address of a server that gives one client `body` with `status`.
    fn serve(status: &'static str, body: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/releases.json", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap();
            assert!(request[..read].starts_with(b"GET /releases.json HTTP/1.1\r\n"));
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            // The client hangs up on a body that is too long.
            let _ = stream.write_all(body.as_bytes());
        });
        url
    }

    /// The address of a port that nobody listens on.
    fn nowhere() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    }

    fn current_release(url: &str, osinfo: impl FnOnce() -> Result<String>) -> Result<u64> {
        super::current_release(&Distribution::default(), url, osinfo).map(|found| found.number)
    }

    #[test]
    fn the_network_comes_first() {
        let url = serve("200 OK", r#"[{"cycle": "10"}, {"cycle": "9"}]"#.to_string());
        let release = current_release(&url, || bail!("asked osinfo"));
        assert_eq!(release.unwrap(), 10);
    }

    #[test]
    fn osinfo_comes_second_whatever_is_wrong_with_the_network() {
        let too_long = "9".repeat(usize::try_from(LONGEST_DOCUMENT).unwrap() + 1);
        for url in [
            nowhere(),
            serve("404 Not Found", "9".to_string()),
            serve("200 OK", "<html>9</html>".to_string()),
            serve("200 OK", too_long),
            "no address".to_string(),
        ] {
            let release = current_release(&url, || Ok(" rocky9 | 9\n rocky8 | 8\n".to_string()));
            assert_eq!(release.unwrap(), 9, "{url}");
        }
    }

    #[test]
    fn a_password_is_not_told() {
        let url = nowhere().replace("http://", "http://user:secret@");
        let message = current_release(&url, || bail!("no"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("http://***@127.0.0.1") && !message.contains("secret"));
    }

    #[test]
    fn the_error_names_both_and_the_way_out() {
        let url = serve("500 Internal Server Error", String::new());
        let error = current_release(&url, || bail!("osinfo-query is not installed"));
        let message = error.unwrap_err().to_string();
        for part in ["--nextrel", &url, "500", "osinfo-query is not installed"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}
