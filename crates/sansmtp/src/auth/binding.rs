//! What ties an authentication to the TLS connection below it (RFC 5056).

/// What ties an exchange to its TLS connection (RFC 5929, RFC 9266).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChannelBinding {
    kind: BindingKind,
    data: [u8; 64],
    length: u8,
}

/// The type of a channel binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BindingKind {
    /// `tls-exporter`: 32 octets of keying material, label
    /// `EXPORTER-Channel-Binding`, empty context (RFC 9266).
    TlsExporter,
    /// `tls-server-end-point`: the hash of the server's certificate (RFC 5929,
    /// section 4).
    TlsServerEndPoint,
}

impl BindingKind {
    /// The type of this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        [Self::TlsExporter, Self::TlsServerEndPoint]
            .into_iter()
            .find(|kind| kind.name().as_bytes() == name)
    }

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TlsExporter => "tls-exporter",
            Self::TlsServerEndPoint => "tls-server-end-point",
        }
    }
}

impl ChannelBinding {
    /// A channel binding of at most 64 octets; `None` if there are more, or none.
    pub fn new(kind: BindingKind, octets: &[u8]) -> Option<Self> {
        let mut data = [0; 64];
        if octets.is_empty() || octets.len() > data.len() {
            return None;
        }
        for (to, from) in data.iter_mut().zip(octets) {
            *to = *from;
        }
        Some(Self {
            kind,
            data,
            length: u8::try_from(octets.len()).ok()?,
        })
    }

    /// The type.
    pub const fn kind(&self) -> BindingKind {
        self.kind
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        self.data
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }
}

impl core::fmt::Debug for ChannelBinding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ChannelBinding({})", self.kind.name())
    }
}
