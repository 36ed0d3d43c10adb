//! Asynchronous work inside `drop`, which cannot await.

/// Runs the future to its end on a thread and a runtime of its own, whatever runtime the caller is in.
pub(crate) fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let run = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be built")
            .block_on(future)
    };
    std::thread::scope(|scope| scope.spawn(run).join()).expect("the work does not panic")
}
