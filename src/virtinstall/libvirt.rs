//! libvirt through its own library.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::{Error, ErrorNumber};
use virt::storage_pool::StoragePool;
use virt::stream::Stream;
use virt::sys;

use super::hypervisor::{Facts, Hypervisor, State, Why};
use super::xml;

/// How much of a console is read at a time, in bytes.
const CONSOLE_BUFFER: usize = 4096;

/// A connection to libvirt.
#[derive(Debug)]
pub(super) struct Libvirt(Connect);

impl Libvirt {
    /// Connects to `uri`, or to what libvirt chooses.
    pub(super) fn open(uri: Option<&str>) -> Result<Self> {
        // It prints its errors by itself otherwise.
        virt::error::clear_error_callback();
        let connect = Connect::open(uri).map_err(said).with_context(|| {
            let uri = uri.unwrap_or("its default address");
            format!("can't connect to libvirt at {uri}; is libvirtd running?")
        })?;
        Ok(Self(connect))
    }

    /// The machine called `name`, if there is one.
    fn domain(&self, name: &str) -> Result<Option<Domain>> {
        found(Domain::lookup_by_name(&self.0, name), ErrorNumber::NoDomain)
            .with_context(|| format!("can't look up the virtual machine '{name}'"))
    }
}

/// The crate leaves connections open.
impl Drop for Libvirt {
    fn drop(&mut self) {
        // One that is broken is as good as closed.
        let _ = self.0.close();
    }
}

impl Hypervisor for Libvirt {
    fn facts(&self) -> Result<Facts> {
        let version = self.0.get_hyp_version().map_err(said)?;
        let (major, minor, release) = (version / 1_000_000, version / 1000 % 1000, version % 1000);
        Ok(Facts {
            uri: self.0.get_uri().map_err(said)?,
            hypervisor: format!(
                "{} {major}.{minor}.{release}",
                self.0.get_type().map_err(said)?
            ),
            has_kvm: xml::has_kvm(&self.0.get_capabilities().map_err(said)?),
        })
    }

    fn state(&self, name: &str) -> Result<Option<State>> {
        let Some(domain) = self.domain(name)? else {
            return Ok(None);
        };
        match found(domain.get_state(), ErrorNumber::NoDomain)? {
            Some((state, reason)) => Ok(Some(state_of(state, reason))),
            None => Ok(None),
        }
    }

    fn display(&self, name: &str) -> Result<Option<String>> {
        match self.domain(name)? {
            Some(domain) => Ok(xml::display(&domain.get_xml_desc(0).map_err(said)?)),
            None => Ok(None),
        }
    }

    fn console(&self, name: &str, sink: &mut dyn FnMut(&[u8])) -> Result<()> {
        let Some(domain) = self.domain(name)? else {
            bail!("there is no machine '{name}'");
        };
        let stream = Stream::new(&self.0, 0).map_err(said)?;
        // One that was lost, with a connection say, counts as open for some time.
        let force = sys::VIR_DOMAIN_CONSOLE_FORCE;
        domain.open_console(None, &stream, force).map_err(said)?;
        let mut buffer = [0; CONSOLE_BUFFER];
        // A machine that ends takes its console with it.
        while let Ok(count @ 1..) = stream.recv(&mut buffer) {
            sink(&buffer[..count]);
        }
        // Otherwise it would stay open, and its connection too.
        let _ = stream.abort();
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let Some(domain) = self.domain(name)? else {
            return Ok(());
        };
        let what = || format!("can't remove the virtual machine '{name}'");
        if domain.is_active().unwrap_or(true) {
            keep_variables_with(&self.0, &domain);
            // One that has just ended by itself is as good.
            match domain.destroy() {
                Err(error) if error.code() == ErrorNumber::OperationInvalid => {}
                result => drop(found(result, ErrorNumber::NoDomain).with_context(what)?),
            }
        }
        let Some(domain) = self.domain(name)? else {
            return Ok(());
        };
        let all = sys::VIR_DOMAIN_UNDEFINE_NVRAM
            | sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
            | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
        let undefined = match domain.undefine_flags(all) {
            // Not every driver has such things.
            Err(error) if is_unsupported(&error) => domain.undefine(),
            result => result,
        };
        found(undefined, ErrorNumber::NoDomain).with_context(what)?;
        Ok(())
    }

    fn machines(&self, prefix: &str) -> Result<Vec<String>> {
        let domains = self.0.list_all_domains(0).map_err(said)?;
        let names = domains.iter().filter_map(|domain| domain.get_name().ok());
        Ok(names.filter(|name| name.starts_with(prefix)).collect())
    }

    fn add_pool(&self, name: &str, directory: &Path) -> Result<bool> {
        let what = || format!("can't make a storage pool for '{}'", directory.display());
        let path = directory.to_str().with_context(|| {
            let path = directory.display();
            format!("libvirt takes UTF-8 only, which the path '{path}' isn't")
        })?;
        let pools = self.0.list_all_storage_pools(0).map_err(said);
        for pool in pools.with_context(what)? {
            let description = found(pool.get_xml_desc(0), ErrorNumber::NoStoragePool);
            let description = description.with_context(what)?.unwrap_or_default();
            if xml::pool_path(&description).as_deref() == Some(path) {
                return Ok(false);
            }
        }
        // It lasts no longer than libvirtd, should this process be killed.
        StoragePool::create_xml(&self.0, &xml::pool(name, path), 0)
            .map_err(said)
            .with_context(what)?;
        Ok(true)
    }

    fn remove_pool(&self, name: &str) -> Result<()> {
        let pool = StoragePool::lookup_by_name(&self.0, name);
        let Some(pool) = found(pool, ErrorNumber::NoStoragePool)? else {
            return Ok(());
        };
        found(pool.destroy(), ErrorNumber::NoStoragePool)
            .with_context(|| format!("can't remove the storage pool '{name}'"))?;
        Ok(())
    }
}

/// `None` when there is no such thing.
fn found<T>(result: Result<T, Error>, absent: ErrorNumber) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == absent => Ok(None),
        Err(error) => Err(said(error)),
    }
}

/// Makes a machine that is forgotten when it ends one that isn't: only a machine that is forgotten
/// by order takes the variables of its firmware with it.
fn keep_variables_with(connect: &Connect, domain: &Domain) {
    if domain.is_persistent().unwrap_or(true) {
        return;
    }
    // It may end at any moment, and then there is nothing to keep.
    if let Ok(description) = domain.get_xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)
        && xml::has_variables(&description)
    {
        let defined = Domain::define_xml(connect, &description);
        tracing::debug!(is_defined = defined.is_ok(), "a machine with UEFI");
    }
}

/// What libvirt says, without its numbers.
fn said(error: Error) -> anyhow::Error {
    anyhow!("{}", error.message().to_owned())
}

fn is_unsupported(error: &Error) -> bool {
    matches!(
        error.code(),
        ErrorNumber::ArgumentUnsupported | ErrorNumber::NoSupport | ErrorNumber::InvalidArg
    )
}

fn state_of(state: sys::virDomainState, reason: i32) -> State {
    let reason = reason.cast_unsigned();
    match state {
        sys::VIR_DOMAIN_SHUTOFF => State::Off(match reason {
            sys::VIR_DOMAIN_SHUTOFF_SHUTDOWN => Why::Shutdown,
            sys::VIR_DOMAIN_SHUTOFF_DESTROYED => Why::Destroyed,
            sys::VIR_DOMAIN_SHUTOFF_CRASHED => Why::Crashed,
            _ => Why::Unknown,
        }),
        sys::VIR_DOMAIN_CRASHED => State::Off(Why::Crashed),
        sys::VIR_DOMAIN_PAUSED if reason == sys::VIR_DOMAIN_PAUSED_IOERROR => State::NoRoom,
        _ => State::Running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// libvirt's own pretended hypervisor: it has one running machine, `test`, and a pool.
    fn pretended() -> Libvirt {
        Libvirt::open(Some("test:///default")).unwrap()
    }

    /// A machine; all tests of a process share what is pretended, so that each has its names.
    fn domain(name: &str) -> String {
        format!(
            "<domain type='test'><name>{name}</name><memory>8192</memory>\
             <os><type>hvm</type></os></domain>"
        )
    }

    #[test]
    fn what_it_is_is_told() {
        let facts = pretended().facts().unwrap();
        assert_eq!(facts.uri, "test:///default");
        assert!(facts.hypervisor.starts_with("TEST "), "{facts:?}");
        assert!(!facts.has_kvm);
    }

    #[test]
    fn a_machine_is_followed_to_its_end() {
        let libvirt = pretended();
        assert_eq!(libvirt.state("createhdds-a").unwrap(), None);
        Domain::define_xml(&libvirt.0, &domain("createhdds-a")).unwrap();
        let off = libvirt.state("createhdds-a").unwrap();
        assert!(matches!(off, Some(State::Off(_))), "{off:?}");
        let domain = Domain::lookup_by_name(&libvirt.0, "createhdds-a").unwrap();
        domain.create().unwrap();
        assert_eq!(libvirt.state("createhdds-a").unwrap(), Some(State::Running));
        domain.destroy().unwrap();
        let off = libvirt.state("createhdds-a").unwrap();
        assert_eq!(off, Some(State::Off(Why::Destroyed)));
        domain.create().unwrap();
        domain.shutdown().unwrap();
        let off = libvirt.state("createhdds-a").unwrap();
        assert_eq!(off, Some(State::Off(Why::Shutdown)));
    }

    #[test]
    fn only_the_named_machine_is_removed_running_or_not() {
        let libvirt = pretended();
        for is_running in [false, true] {
            let domain = Domain::define_xml(&libvirt.0, &domain("createhdds-b-1")).unwrap();
            if is_running {
                domain.create().unwrap();
            }
            assert_eq!(
                libvirt.machines("createhdds-b").unwrap(),
                ["createhdds-b-1"]
            );
            libvirt.remove("createhdds-b-1").unwrap();
            assert_eq!(libvirt.machines("createhdds-b").unwrap(), [""; 0]);
            assert_eq!(libvirt.machines("test").unwrap(), ["test"]);
            libvirt.remove("createhdds-b-1").unwrap();
        }
    }

    #[test]
    fn a_pool_is_made_where_there_is_none() {
        let libvirt = pretended();
        // The pretended pool is there already.
        let existing = Path::new("/default-pool");
        assert!(!libvirt.add_pool("createhdds-p", existing).unwrap());
        let fresh = Path::new("/somewhere/<else> & more");
        assert!(libvirt.add_pool("createhdds-p", fresh).unwrap());
        libvirt.remove_pool("createhdds-p").unwrap();
        libvirt.remove_pool("createhdds-p").unwrap();
        assert!(libvirt.add_pool("createhdds-p", fresh).unwrap());
        libvirt.remove_pool("createhdds-p").unwrap();
    }

    #[test]
    fn one_that_is_not_there_says_where_it_was_looked_for() {
        let error = Libvirt::open(Some("qemu+unix:///system?socket=/nowhere")).unwrap_err();
        let text = format!("{error:#}");
        for part in ["can't connect to libvirt", "/nowhere", "libvirtd"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
