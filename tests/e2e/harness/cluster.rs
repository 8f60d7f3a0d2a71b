//! Two engines that know each other as the replicas of a cluster.

use std::net::{Ipv4Addr, TcpListener};

use super::engine::TestEngine;

/// The cluster's name.
pub const CLUSTER: &str = "pair";
/// Who the engines are to each other: name and password. It may read what describes the server.
const PEER: (&str, &str) = ("peer", "peer-password");
/// A user who may read `system.*` and other servers: name and password.
pub const TRAVELLER: (&str, &str) = ("traveller", "traveller-password");
/// A port may be gone when the engine wants it.
const ATTEMPTS: u32 = 5;

/// Two engines of one cluster, one shard with two replicas.
pub struct Pair {
    /// The one that is asked.
    pub first: TestEngine,
    /// The other.
    pub second: TestEngine,
    ports: [u16; 2],
}

impl Pair {
    /// What rows of the two say they are from.
    pub async fn names(&self) -> [String; 2] {
        let name = self.first.ask("SELECT hostName()").await;
        self.ports.map(|port| format!("{name}:{port}"))
    }

    /// What the cluster's configuration calls the two.
    pub fn addresses(&self) -> [String; 2] {
        self.ports.map(|port| format!("127.0.0.1:{port}"))
    }
}

/// Starts them. They belong to the claim, which may stop one.
pub async fn cluster() -> Pair {
    for _ in 1..ATTEMPTS {
        if let Some(pair) = start().await {
            return pair;
        }
    }
    start().await.expect("two engines")
}

async fn start() -> Option<Pair> {
    // Each must know the other's port before either listens. Both are held until both are known, so that they differ.
    let held = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"));
    let ports = held.each_ref().map(|listener| listener.local_addr().expect("an address").port());
    drop(held);
    let replica = |port: u16| {
        let (user, password) = PEER;
        format!(
            "<replica><host>127.0.0.1</host><port>{port}</port><user>{user}</user><password>{password}</password></replica>"
        )
    };
    let servers = format!("<{CLUSTER}><shard>{}{}</shard></{CLUSTER}>", replica(ports[0]), replica(ports[1]));
    let [first, second] = ports.map(|port| TestEngine::of_cluster(&servers, port, PEER, TRAVELLER));
    let (first, second) = tokio::join!(first, second);
    Some(Pair { first: first.ok()?, second: second.ok()?, ports })
}
