//! A mail server: speaks SMTP, insists on `STARTTLS`, keeps what came, and answers recipients as it is told.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// A mail that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) text: String,
    pub(crate) login: Option<String>,
}

#[derive(Default)]
struct Shared {
    mails: Vec<Mail>,
    /// What recipients are answered next.
    replies: Vec<&'static str>,
}

/// The server, known to clients as `localhost` by its certificate.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    folder: TempDir,
    shared: Arc<Mutex<Shared>>,
}

const CERTIFICATE: &str = "[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = localhost
[extensions]
basicConstraints = critical,CA:FALSE
subjectAltName = DNS:localhost
";

impl MailServer {
    pub(crate) async fn start() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("openssl.cnf"), CERTIFICATE).unwrap();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ])
            .args(["-days", "2", "-config"])
            .arg(path("openssl.cnf"))
            .arg("-keyout")
            .arg(path("key.pem"))
            .arg("-out")
            .arg(path("certificate.pem"))
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let certificate = CertificateDer::from_pem_file(path("certificate.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(path("key.pem")).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::<Mutex<Shared>>::default();
        let kept = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&kept)));
            }
        });
        Self { port, folder, shared }
    }

    /// The certificate, for `SSL_CERT_FILE` of who should trust it.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).mails.clone()
    }

    /// Answers the next recipients like this, then takes them.
    pub(crate) fn replies(&self, replies: &[&'static str]) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.replies = replies.iter().rev().copied().collect();
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Mutex<Shared>>) -> Option<()> {
    let mut plain = BufReader::new(stream);
    say(&mut plain, "220 localhost").await?;
    loop {
        let line = hear(&mut plain).await?;
        match line.split(' ').next()? {
            "EHLO" => say(&mut plain, "250-localhost\r\n250 STARTTLS").await?,
            "STARTTLS" => break,
            _ => say(&mut plain, "530 Must issue a STARTTLS command first").await?,
        }
    }
    say(&mut plain, "220 go ahead").await?;
    let mut stream = BufReader::new(acceptor.accept(plain.into_inner()).await.ok()?);
    let mut mail = Mail {
        from: String::new(),
        to: String::new(),
        text: String::new(),
        login: None,
    };
    loop {
        let line = hear(&mut stream).await?;
        let (command, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
        match command {
            "EHLO" => say(&mut stream, "250-localhost\r\n250 AUTH PLAIN").await?,
            "AUTH" => {
                mail.login = Some(rest.to_owned());
                say(&mut stream, "235 welcome").await?;
            }
            "MAIL" => {
                mail.from = rest.to_owned();
                say(&mut stream, "250 ok").await?;
            }
            "RCPT" => {
                mail.to = rest.to_owned();
                let reply = shared.lock().unwrap_or_else(PoisonError::into_inner).replies.pop();
                say(&mut stream, reply.unwrap_or("250 ok")).await?;
            }
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                mail.text.clear();
                loop {
                    match hear(&mut stream).await?.as_str() {
                        "." => break,
                        line => mail.text.extend([line, "\n"]),
                    }
                }
                shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .mails
                    .push(mail.clone());
                say(&mut stream, "250 taken").await?;
            }
            "QUIT" => return say(&mut stream, "221 bye").await,
            _ => say(&mut stream, "250 ok").await?,
        }
    }
}

async fn hear(stream: &mut BufReader<impl AsyncRead + Unpin>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

async fn say(stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>, line: &str) -> Option<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
    stream.flush().await.ok()
}
