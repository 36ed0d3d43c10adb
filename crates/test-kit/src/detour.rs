//! A way to a database that can be closed, cut and clogged, while the database itself is left in peace.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What happens on the way.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Connections end at once, those that stand included.
    Cut,
    /// Everything passes.
    Open,
    /// Connections stand and nothing passes.
    Hanging,
}

/// A proxy on loopback; cut at first.
pub struct Detour {
    url: String,
    way: watch::Sender<Way>,
    accepting: JoinHandle<()>,
}

impl Detour {
    /// A detour to the database at this address.
    pub async fn to(url: &str) -> Self {
        let options: sqlx::postgres::PgConnectOptions = url.parse().expect("an address of PostgreSQL");
        let target = format!("{}:{}", options.get_host(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a port");
        let address = listener.local_addr().expect("it is bound");
        let (way, watched) = watch::channel(Way::Cut);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, target.clone(), watched.clone()));
            }
        });
        let url = url.replace(
            &format!("{}:{}", options.get_host(), options.get_port()),
            &address.to_string(),
        );
        assert!(url.contains(&address.to_string()), "{url}");
        Self { url, way, accepting }
    }

    /// Address of the database by this way.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Lets everything pass.
    pub fn open(&self) {
        self.way.send_replace(Way::Open);
    }

    /// Ends every connection, and each new one at once.
    pub fn cut(&self) {
        self.way.send_replace(Way::Cut);
    }

    /// Keeps connections, and lets nothing pass.
    pub fn hang(&self) {
        self.way.send_replace(Way::Hanging);
    }
}

impl Drop for Detour {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut stream: TcpStream, target: String, mut way: watch::Receiver<Way>) {
    let Ok(mut database) = TcpStream::connect(target).await else {
        return;
    };
    loop {
        let now = *way.borrow_and_update();
        match now {
            Way::Cut => return,
            Way::Hanging => drop(way.changed().await),
            Way::Open => tokio::select! {
                _ = copy_bidirectional(&mut stream, &mut database) => return,
                _ = way.changed() => {}
            },
        }
    }
}
