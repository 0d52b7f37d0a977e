//! What a REST API may be, and how patches change it.

use pitbird_records::RestApi;

use crate::Error;
use crate::patch::{Op, Patch};
use crate::policy;

/// APIs in one account and region. Source: API Gateway quotas (regional APIs).
pub const APIS_MAX: usize = 600;
/// Longest body that compression may spare, bytes. Source: API Gateway API reference.
const COMPRESSION_SIZE_MAX: i64 = 10_485_760;

/// Where an API is reached from.
#[derive(Debug, PartialEq)]
pub struct Endpoint {
    pub types: Vec<String>,
    pub ip_address_type: String,
}

/// The endpoint that a caller asks for; an edge-optimised one when the caller doesn't say.
pub fn endpoint(types: Option<Vec<String>>, ip_address_type: Option<String>) -> Result<Endpoint, Error> {
    let kind = match types.unwrap_or_else(|| vec!["EDGE".to_owned()]).as_slice() {
        [] => return Err(Error::NoEndpointType),
        [kind] => kind.clone(),
        _ => return Err(Error::ManyEndpointTypes),
    };
    let ip_address_type = match ip_address_type.filter(|text| !text.is_empty()) {
        Some(text) => checked_ip_address_type(&text)?,
        None if kind == "PRIVATE" => "dualstack".to_owned(),
        None => "ipv4".to_owned(),
    };
    if kind == "PRIVATE" && ip_address_type == "ipv4" {
        return Err(Error::PrivateIpv4);
    }
    Ok(Endpoint { types: vec![checked_endpoint_type(&kind)?], ip_address_type })
}

pub fn api_key_source(text: &str) -> Result<String, Error> {
    match text {
        "HEADER" | "AUTHORIZER" => Ok(text.to_owned()),
        _ => Err(Error::ApiKeySource),
    }
}

/// The size from which on bodies are compressed, bytes; `None` compresses nothing.
pub fn compression_size(size: Option<i64>) -> Result<Option<i64>, Error> {
    match size {
        None => Ok(None),
        Some(size) if !(0..=COMPRESSION_SIZE_MAX).contains(&size) => Err(Error::CompressionSize),
        Some(size) => Ok(Some(size)),
    }
}

/// Applies one patch operation.
pub fn apply(api: &mut RestApi, patch: &Patch<'_>) -> Result<(), Error> {
    let pieces = patch.pieces();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    match pieces.as_slice() {
        ["name"] => {
            patch.must_replace()?;
            api.name = patch.text().ok_or(Error::EmptyName)?.to_owned();
        }
        ["description"] => match patch.op {
            Op::Remove => api.description = None,
            _ => {
                patch.must_replace()?;
                api.description = patch.text().map(str::to_owned);
            }
        },
        ["apiKeySource"] => {
            patch.must_replace()?;
            api.api_key_source = api_key_source(patch.value.unwrap_or_default())?;
        }
        ["disableExecuteApiEndpoint"] => {
            patch.must_replace()?;
            api.disable_execute_api_endpoint = patch.switch();
        }
        ["minimumCompressionSize"] => {
            patch.must_replace()?;
            let size = patch.text().map(|text| text.parse().map_err(|_| Error::CompressionSize));
            api.minimum_compression_size = compression_size(size.transpose()?)?;
        }
        ["policy"] => {
            patch.must_replace()?;
            api.policy = patch.text().map(policy::parse).transpose()?;
        }
        ["binaryMediaTypes", media] if !media.is_empty() => binary_media_type(api, media, patch)?,
        ["endpointConfiguration", "types", _] => endpoint_type(api, patch)?,
        ["endpointConfiguration", "ipAddressType"] => {
            patch.must_replace()?;
            api.ip_address_type = checked_ip_address_type(patch.value.unwrap_or_default())?;
        }
        ["endpointConfiguration", "vpcEndpointIds"] => {
            return Err(Error::unsupported("endpointConfiguration.vpcEndpointIds"));
        }
        _ => return Err(patch.bad_path()),
    }
    Ok(())
}

/// The list is patched like a set: its items are named, not counted.
fn binary_media_type(api: &mut RestApi, media: &str, patch: &Patch<'_>) -> Result<(), Error> {
    let types = &mut api.binary_media_types;
    if patch.op != Op::Replace {
        return patch.item(types, media);
    }
    let replacement = patch.text().ok_or_else(|| patch.bad_path())?;
    types.retain(|item| item != media && item != replacement);
    types.push(replacement.to_owned());
    Ok(())
}

fn endpoint_type(api: &mut RestApi, patch: &Patch<'_>) -> Result<(), Error> {
    match patch.op {
        Op::Replace => {
            api.endpoint_types = vec![checked_endpoint_type(patch.value.unwrap_or_default())?];
            Ok(())
        }
        Op::Add => Err(Error::ManyEndpointTypes),
        Op::Remove => Err(Error::NoEndpointType),
        _ => Err(Error::PatchOp),
    }
}

fn checked_endpoint_type(text: &str) -> Result<String, Error> {
    match text {
        "EDGE" | "REGIONAL" => Ok(text.to_owned()),
        "PRIVATE" => Err(Error::unsupported("endpointConfiguration.types PRIVATE")),
        _ => Err(Error::EndpointType),
    }
}

fn checked_ip_address_type(text: &str) -> Result<String, Error> {
    match text {
        "ipv4" | "dualstack" => Ok(text.to_owned()),
        _ => Err(Error::IpAddressType),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn an_endpoint_has_one_type() {
        let edge = endpoint(None, None).expect("the default");
        assert_eq!((edge.types, edge.ip_address_type.as_str()), (vec!["EDGE".to_owned()], "ipv4"));
        assert_eq!(
            endpoint(types(&["REGIONAL"]), Some("dualstack".into())).unwrap().ip_address_type,
            "dualstack"
        );
        for (asked, ip, text) in [
            (&[][..], None, "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."),
            (&["EDGE", "REGIONAL"], None, "Cannot create an api with multiple Endpoint Types."),
            (&["PRIVATE"], Some("ipv4"), "Only dualstack ipAddressType is supported for Private APIs."),
            (&["PRIVATE"], None, "endpointConfiguration.types PRIVATE is not supported"),
            (&["wrong"], None, "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"),
            (&["EDGE"], Some("wrong"), "ipAddressType must be either ipv4 or dualstack."),
        ] {
            let error = endpoint(types(asked), ip.map(str::to_owned)).expect_err(text);
            assert_eq!(error.to_string(), text);
        }
    }
}
