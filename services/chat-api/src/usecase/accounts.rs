//! Built-in accounts, for one machine without an issuer of tokens.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use domain::id::UserId;
use sqlx::PgConnection;
use tokio::{sync::Semaphore, task::spawn_blocking};
use uuid::Uuid;

use crate::store::accounts;

/// Passwords hashed at once: each takes 19 MiB and a tenth of a second of a core.
static HASHING: Semaphore = Semaphore::const_new(2);

/// What the password of an unknown name is compared with, so that an answer takes as long as for a known one.
static NOBODYS_HASH: LazyLock<String> = LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// Somebody has this name.
    #[error("the name is taken")]
    NameTaken,
    /// The database.
    #[error("could not read or write accounts")]
    Database(#[from] sqlx::Error),
    /// The password could not be hashed.
    #[error("could not hash a password")]
    Hash,
}

/// Opens an account.
pub(crate) async fn open(connection: &mut PgConnection, name: &str, password: String) -> Result<UserId, AccountError> {
    let hash = hashing(move || hash(&password)).await.ok_or(AccountError::Hash)?;
    let user = UserId::new(Uuid::now_v7().to_string()).map_err(|_| AccountError::Hash)?;
    if accounts::insert(connection, name, &user, &hash).await? {
        Ok(user)
    } else {
        Err(AccountError::NameTaken)
    }
}

/// Whose account this is; `None` when there is no such name, or the password is another.
pub(crate) async fn enter(
    connection: &mut PgConnection,
    name: &str,
    password: String,
) -> Result<Option<UserId>, AccountError> {
    let account = accounts::find(connection, name).await?;
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let fits = hashing(move || {
        let hash = hash.unwrap_or_else(|| NOBODYS_HASH.clone());
        Some(verifies(&password, &hash))
    });
    let fits = fits.await.ok_or(AccountError::Hash)?;
    let account = account.filter(|_| fits);
    Ok(account.and_then(|account| UserId::new(account.user_id).ok()))
}

/// Works beside the runtime, a few at once.
async fn hashing<T: Send + 'static>(work: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
    let _place = HASHING.acquire().await.ok()?;
    spawn_blocking(work).await.ok()?
}

/// argon2id with the parameters that OWASP recommends, in PHC form.
fn hash(password: &str) -> Option<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.ok().map(|hash| hash.to_string())
}

fn verifies(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_with_its_own_salt() {
        let (first, second) = (hash("correct horse").unwrap(), hash("correct horse").unwrap());
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, second);
        assert!(verifies("correct horse", &first) && verifies("correct horse", &second));
        assert!(!verifies("correct house", &first) && !verifies("", "not a hash"));
    }
}
