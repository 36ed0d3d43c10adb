//! Where a key places its record: exactly as the Java client does it.

/// The murmur2 hash of Kafka's Java client, as the signed number that it computes.
///
/// Written out because it is twenty lines, and because the one seed and the byte order are part of the promise.
#[must_use]
pub fn murmur2(key: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    // Java counts bytes in an int; a key of 4 GiB does not exist.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the reference hashes the low 32 bits of the length"
    )]
    let mut hash = SEED ^ (key.len() as u32);
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k = (k ^ (k >> R)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, byte| (tail << 8) | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)).cast_signed()
}

/// The partition, from 0, that a record with this key belongs to. `partitions` is at least 1.
///
/// Equal to `BuiltInPartitioner.partitionForKey` of the Java client, and to librdkafka's `murmur2_random` for a key
/// that is there.
///
/// # Panics
/// When `partitions` is 0: no topic has none.
#[must_use]
pub fn partition_for_key(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & i32::MAX).cast_unsigned() % partitions
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_values_hold() {
        assert_eq!(murmur2(b"21"), -973_932_308);
        assert_eq!(murmur2(b"123"), -267_702_483);
        assert_eq!(murmur2(b"9007199254740991"), -1_031_629_061);
        assert_eq!(partition_for_key(b"123", 3), 2);
        assert_eq!(partition_for_key(b"123", 12), 5);
        assert_eq!(partition_for_key(b"9007199254740991", 3), 0);
        assert_eq!(partition_for_key(b"9007199254740991", 12), 3);
    }

    proptest! {
        #[test]
        fn every_key_has_a_partition(key: Vec<u8>, partitions in 1_u32..=1000) {
            prop_assert!(partition_for_key(&key, partitions) < partitions);
        }
    }
}
