//! The guard and hyper together: both find the same requests in the same bytes, however those arrive.

use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::sync::Semaphore;

use super::super::framing::Guard;
use super::super::framing::tests::{bytes, cuts, pieces};
use super::*;
use http::Request;
use hyper::body::Incoming;

/// Above the idle limit; the clock is paused.
const LONG: Duration = Duration::from_secs(200);

/// What an application saw of a connection, and what its client was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    heads: u64,
    whole_bodies: Vec<Bytes>,
    statuses: Vec<String>,
}

/// Sends the pieces one after the other to a server that answers each request once its body is there.
async fn send(pieces: &[&[u8]]) -> Seen {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let seeing = Arc::clone(&seen);
    let app = tower::service_fn(move |request: Request<Incoming>| {
        seeing.lock().unwrap().heads += 1;
        let seeing = Arc::clone(&seeing);
        async move {
            let mut response = Response::new(Full::<Bytes>::default());
            match request.into_body().collect().await {
                Ok(body) => seeing.lock().unwrap().whole_bodies.push(body.to_bytes()),
                Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
            }
            response.headers_mut().insert("x-request-id", HeaderValue::from_static("app"));
            Ok::<_, Infallible>(response)
        }
    });
    let (_trigger, shutdown) = Shutdown::manual();
    let server = Arc::new(Server::new(ServeLimits::default(), shutdown, None));
    let (stream, mut client) = duplex(64 * 1024);
    let slot = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
    let origin = Origin { peer: ([127, 0, 0, 1], 1).into(), scheme: Scheme::Http };
    let serving = tokio::spawn(server.speak(stream, slot, app, origin));
    for piece in pieces {
        // Fails once the server has closed, which its answers tell.
        let _ = client.write_all(piece).await;
        tokio::task::yield_now().await;
    }
    let mut answers = Vec::new();
    // A body that does not come is waited for by the application alone.
    let _ = tokio::time::timeout(LONG, client.read_to_end(&mut answers)).await;
    serving.abort();
    let statuses = String::from_utf8_lossy(&answers);
    let statuses =
        statuses.split("\r\n").filter_map(|line| line.strip_prefix("HTTP/1.1 ")).map(str::to_owned).collect();
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.statuses = statuses;
    seen
}

fn run(pieces: &[&[u8]]) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(send(pieces))
}

/// How many requests the guard lets hyper find, and whether it refuses one.
fn guarded(bytes: &[u8]) -> (u64, bool) {
    let mut guard = Guard::new();
    guard.check(bytes);
    (guard.heads() - u64::from(guard.is_within_head()), guard.refused().is_some())
}

#[test]
fn what_this_test_sends_is_seen() {
    let seen =
        run(&[b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET / HTTP/1.1\r\n", b"A: b\r\n\r\nGET / HTTP/1.1\n"]);
    assert_eq!((seen.heads, seen.whole_bodies), (2, vec![Bytes::from("hi"), Bytes::new()]));
    assert_eq!(seen.statuses, ["200 OK", "200 OK", "400 Bad Request"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hyper_finds_the_requests_that_the_guard_found(bytes in bytes(), cuts in cuts()) {
        // Hyper refuses a head in pieces only once it ends; an empty line ends any, and between requests is none.
        let bytes = [bytes.as_slice(), b"\r\n\r\n"].concat();
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let whole = run(&[bytes.as_slice()]);
        let (heads, refused) = guarded(&bytes);
        prop_assert!(whole.heads <= heads, "hyper saw more: {shown:?} {whole:?}");
        let ends_early = ["close", "http/1.0"].iter().any(|end| shown.to_ascii_lowercase().contains(end));
        let was_refused = whole.statuses.iter().any(|status| !status.starts_with("200"));
        prop_assert!(was_refused || !refused || ends_early, "nobody was told: {shown:?} {whole:?}");
        let waits = (whole.whole_bodies.len() as u64) < whole.heads;
        if !ends_early && !was_refused && !waits {
            prop_assert_eq!(whole.heads, heads, "hyper saw fewer: {:?} {:?}", shown, whole);
        }
        prop_assert_eq!(run(&pieces(&bytes, &cuts)), whole, "{:?}", shown);
    }
}
