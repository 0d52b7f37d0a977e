use std::io::{Cursor, Write};

use sha2::{Digest, Sha256};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

fn zip(content: &[u8]) -> (String, Bytes) {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("a", SimpleFileOptions::default()).unwrap();
    writer.write_all(content).unwrap();
    let bytes = Bytes::from(writer.finish().unwrap().into_inner());
    (Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(), bytes)
}

#[tokio::test]
async fn code_is_unpacked_once_and_kept_while_it_is_used() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let cache = Arc::new(CodeCache::open(data.path().join("code"), 2500).unwrap());
    let (first, bytes) = zip(&[1; 1000]);
    let missing = cache.get(&store, &first).await.unwrap_err();
    assert!(matches!(missing, CodeError::Store { .. }), "{missing}");
    assert_eq!(store.put_blob(bytes).await.unwrap(), first);
    let (one, two) = tokio::join!(cache.get(&store, &first), cache.get(&store, &first));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(Arc::ptr_eq(&one, &two));
    assert_eq!(fs::read(one.path.join("a")).unwrap(), [1; 1000]);

    let (second, bytes) = zip(&[2; 1000]);
    assert_eq!(cache.admit(&second, bytes).await.unwrap().unpacked_bytes, 1000);
    let (third, bytes) = zip(&[3; 1000]);
    cache.admit(&third, bytes).await.unwrap();
    assert!(one.path.is_dir(), "in use");
    assert!(!data.path().join("code").join(&second).exists(), "the oldest of the unused goes");
    assert!(data.path().join("code").join(&third).is_dir());
}

#[tokio::test]
async fn a_broken_zip_leaves_nothing_behind() {
    let data = tempfile::tempdir().unwrap();
    let cache = Arc::new(CodeCache::open(data.path().join("code"), 1 << 20).unwrap());
    let refused = cache.admit("00", Bytes::from_static(b"no zip")).await.unwrap_err();
    assert!(matches!(refused, CodeError::Zip { .. }), "{refused}");
    let names: Vec<_> =
        fs::read_dir(data.path().join("code")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [BOOT_FILE]);
}

#[tokio::test]
async fn another_process_finds_what_this_one_unpacked() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let (name, bytes) = zip(b"x");
    let open = || Arc::new(CodeCache::open(data.path().join("code"), 1 << 20).unwrap());
    open().admit(&name, bytes).await.unwrap();
    fs::create_dir(data.path().join("code/unfinished-7")).unwrap();
    let found = open().get(&store, &name).await.unwrap();
    assert_eq!(fs::read(found.path.join("a")).unwrap(), b"x");
    assert!(!data.path().join("code/unfinished-7").exists());

    fs::write(data.path().join("code").join(BOOT_FILE), "another boot").unwrap();
    assert!(
        matches!(open().get(&store, &name).await, Err(CodeError::Store { .. })),
        "not synced, not trusted"
    );
}
