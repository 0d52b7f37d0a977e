use pitbird_service::Fault;
use thiserror::Error;

/// Why a call fails, in S3's own words where they are known. Source: S3 API reference, "Error responses", and recorded
/// answers of the service.
#[derive(Debug, Error)]
pub enum Error {
    #[error("The specified bucket does not exist")]
    NoSuchBucket(String),
    #[error("The specified key does not exist.")]
    NoSuchKey(String),
    #[error(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )]
    NoSuchUpload(String),
    #[error("The specified version does not exist.")]
    NoSuchVersion(String),
    #[error("Invalid version id specified")]
    VersionId(String),
    #[error("Access Denied")]
    AccessDenied,
    #[error("The specified bucket is not valid.")]
    BucketName(String),
    #[error(
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a \
         different name and try again."
    )]
    BucketExists(String),
    #[error("Your previous request to create the named bucket succeeded and you already own it.")]
    BucketOwned(String),
    #[error("The bucket you tried to delete is not empty")]
    BucketNotEmpty(String),
    #[error("You have attempted to create more buckets than allowed")]
    TooManyBuckets,
    #[error("The specified location-constraint is not valid")]
    Location(String),
    #[error(
        "The {0} location constraint is incompatible for the region specific endpoint this request was sent to."
    )]
    OtherLocation(String),
    #[error("Your key is too long")]
    KeyTooLong { size: usize, limit: usize },
    #[error("Your metadata headers exceed the maximum allowed metadata size")]
    MetadataTooLarge { size: usize, limit: usize },
    #[error("Your proposed upload exceeds the maximum allowed size")]
    EntityTooLarge { size: u64, limit: u64 },
    #[error("Your proposed upload is smaller than the minimum allowed size")]
    EntityTooSmall { size: u64, limit: u64, part: u32 },
    #[error(
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity \
         tag may not match the part's entity tag."
    )]
    InvalidPart { upload_id: String, part: u32 },
    #[error("The list of parts was not in ascending order. Parts must be ordered by part number.")]
    InvalidPartOrder(String),
    #[error("Part number must be an integer between 1 and 10000, inclusive")]
    PartNumber(i64),
    #[error("Please reduce your request rate.")]
    SlowDown,

    #[error("The Content-MD5 you specified was invalid.")]
    InvalidMd5(String),
    #[error("The Content-MD5 you specified did not match what we received.")]
    Md5 { given: String, found: String },
    #[error("The {0} you specified did not match the calculated checksum.")]
    Checksum(&'static str),
    #[error("Value for x-amz-checksum-{0} header is invalid.")]
    InvalidChecksum(String),
    #[error("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")]
    ManyChecksums,
    #[error(
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
    )]
    NoChecksum,
    #[error(
        "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {found}"
    )]
    OtherChecksum { expected: String, found: String },
    #[error("The {kind} checksum type cannot be used with the {algorithm} checksum algorithm.")]
    ChecksumType { kind: String, algorithm: String },

    #[error("At least one of the pre-conditions you specified did not hold")]
    Precondition(&'static str),
    #[error("Not Modified")]
    NotModified,
    #[error("The requested range is not satisfiable")]
    Range { asked: String, size: u64 },
    #[error("The requested partnumber is not satisfiable")]
    PartOfObject { asked: i64, parts: usize },
    #[error(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, \
         storage class, website redirect location or encryption attributes."
    )]
    CopyToItself,
    #[error("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")]
    CopySource(String),
    #[error("{message}")]
    Argument { name: &'static str, value: String, message: &'static str },
    #[error("{0}")]
    Tag(&'static str),
    #[error("The bucket does not allow ACLs")]
    Acl,
    #[error("The XML you provided was not well-formed or did not validate against our published schema")]
    MalformedXml,

    #[error("{0}")]
    MalformedPolicy(&'static str),

    /// A setting that a bucket hasn't got: code, and what AWS says.
    #[error("{1}")]
    NotSet(&'static str, &'static str, String),
    /// A value that pitbird would have to ignore.
    #[error("{0} is not supported by pitbird, so it is refused rather than ignored.")]
    Unsupported(String),
    #[error(transparent)]
    Store(#[from] pitbird_store::Error),
}

/// A member that isn't heeded, in the words of this service.
pub fn refused(what: &str) -> Fault {
    Error::Unsupported(what.to_owned()).into()
}

impl Error {
    /// The error's code and status.
    fn code(&self) -> (&'static str, u16) {
        use Error::*;
        match self {
            NoSuchBucket(_) => ("NoSuchBucket", 404),
            NoSuchKey(_) => ("NoSuchKey", 404),
            NoSuchUpload(_) => ("NoSuchUpload", 404),
            NoSuchVersion(_) => ("NoSuchVersion", 404),
            AccessDenied => ("AccessDenied", 403),
            BucketName(_) => ("InvalidBucketName", 400),
            BucketExists(_) => ("BucketAlreadyExists", 409),
            BucketOwned(_) => ("BucketAlreadyOwnedByYou", 409),
            BucketNotEmpty(_) => ("BucketNotEmpty", 409),
            TooManyBuckets => ("TooManyBuckets", 400),
            Location(_) => ("InvalidLocationConstraint", 400),
            OtherLocation(_) => ("IllegalLocationConstraintException", 400),
            KeyTooLong { .. } => ("KeyTooLongError", 400),
            MetadataTooLarge { .. } => ("MetadataTooLarge", 400),
            EntityTooLarge { .. } => ("EntityTooLarge", 400),
            EntityTooSmall { .. } => ("EntityTooSmall", 400),
            InvalidPart { .. } => ("InvalidPart", 400),
            InvalidPartOrder(_) => ("InvalidPartOrder", 400),
            SlowDown => ("SlowDown", 503),
            InvalidMd5(_) => ("InvalidDigest", 400),
            Md5 { .. } | Checksum(_) => ("BadDigest", 400),
            InvalidChecksum(_)
            | ManyChecksums
            | NoChecksum
            | OtherChecksum { .. }
            | ChecksumType { .. }
            | CopyToItself => ("InvalidRequest", 400),
            Precondition(_) => ("PreconditionFailed", 412),
            NotModified => ("NotModified", 304),
            Range { .. } => ("InvalidRange", 416),
            PartOfObject { .. } => ("InvalidPartNumber", 416),
            VersionId(_) | PartNumber(_) | CopySource(_) | Argument { .. } => ("InvalidArgument", 400),
            Tag(_) => ("InvalidTag", 400),
            Acl => ("AccessControlListNotSupported", 400),
            MalformedXml => ("MalformedXML", 400),
            MalformedPolicy(_) => ("MalformedPolicy", 400),
            NotSet(code, ..) => (code, 404),
            Unsupported(_) => ("NotImplemented", 501),
            Store(_) => ("InternalError", 500),
        }
    }

    /// What the error says beside its message.
    fn details(&self) -> Vec<(&'static str, String)> {
        use Error::*;
        let number = |name, number: &dyn ToString| (name, number.to_string());
        let argument = |name: &str, value: &dyn ToString| {
            vec![("ArgumentName", name.to_owned()), ("ArgumentValue", value.to_string())]
        };
        match self {
            NoSuchBucket(name)
            | BucketName(name)
            | BucketExists(name)
            | BucketOwned(name)
            | BucketNotEmpty(name)
            | NotSet(_, _, name) => vec![("BucketName", name.clone())],
            NoSuchKey(key) => vec![("Key", key.clone())],
            NoSuchUpload(id) | InvalidPartOrder(id) => vec![("UploadId", id.clone())],
            NoSuchVersion(id) => vec![("VersionId", id.clone())],
            Location(constraint) => vec![("LocationConstraint", constraint.clone())],
            KeyTooLong { size, limit } => vec![number("Size", size), number("MaxSizeAllowed", limit)],
            MetadataTooLarge { size, limit } => vec![number("Size", size), number("MaxSizeAllowed", limit)],
            EntityTooLarge { size, limit } => {
                vec![number("ProposedSize", size), number("MaxSizeAllowed", limit)]
            }
            EntityTooSmall { size, limit, part } => {
                vec![
                    number("ProposedSize", size),
                    number("MinSizeAllowed", limit),
                    number("PartNumber", part),
                ]
            }
            InvalidPart { upload_id, part } => {
                vec![("UploadId", upload_id.clone()), number("PartNumber", part)]
            }
            InvalidMd5(given) => vec![("Content-MD5", given.clone())],
            Md5 { given, found } => {
                vec![("ExpectedDigest", given.clone()), ("CalculatedDigest", found.clone())]
            }
            Precondition(condition) => vec![("Condition", (*condition).to_owned())],
            Range { asked, size } => {
                vec![("RangeRequested", asked.clone()), number("ActualObjectSize", size)]
            }
            PartOfObject { asked, parts } => {
                vec![number("PartNumberRequested", asked), number("ActualPartCount", parts)]
            }
            VersionId(id) => argument("versionId", id),
            PartNumber(number) => argument("partNumber", number),
            CopySource(source) => argument("x-amz-copy-source", source),
            Argument { name, value, .. } => argument(name, value),
            _ => Vec::new(),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let (code, status) = error.code();
        let mut fault = match &error {
            Error::Store(cause) => {
                let mut fault = Fault::new(code, "We encountered an internal error. Please try again.");
                fault.cause = Some(cause.to_string());
                fault
            }
            told => Fault::new(code, told.to_string()),
        };
        for (name, value) in error.details() {
            fault = fault.with(name, value);
        }
        fault.with_status(status)
    }
}
