//! Publish and consume: one handler contract over two transports.
