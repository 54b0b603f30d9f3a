//! A message on its way in: its octets go to the store while what is derived from them is derived.

use account::{BlobId, CommitError, Pending, Upload};
use bytes::Bytes;
use message::Scanner;

use crate::fault::commit_error;

/// One message being uploaded.
pub(crate) struct MessageUpload {
    body: Box<dyn store::Upload>,
    scanner: Scanner,
}

impl MessageUpload {
    pub(crate) fn new(body: Box<dyn store::Upload>) -> Self {
        Self { body, scanner: Scanner::new() }
    }
}

impl Upload for MessageUpload {
    fn write<'a>(&'a mut self, octets: &'a [u8]) -> Pending<'a, Result<(), CommitError>> {
        Box::pin(async move {
            self.body.write(octets).await.map_err(commit_error)?;
            self.scanner.push(octets);
            Ok(())
        })
    }

    fn finish(self: Box<Self>) -> Pending<'static, Result<BlobId, CommitError>> {
        let Self { body, scanner } = *self;
        Box::pin(async move {
            let derived = scanner.finish();
            let put = body.finish(Bytes::from(derived.summary), Bytes::from(derived.text)).await;
            put.map(|blob| BlobId(blob.0)).map_err(commit_error)
        })
    }
}
