use pitbird_records::Stage;

use crate::Error;

/// Sizes of a cache cluster, GB; the first is that of who doesn't say. Source: the model's `CacheClusterSize`.
const SIZES: [&str; 8] = ["0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"];

/// Gives a stage a cache cluster or takes it away; what a caller doesn't mention stays as it is.
pub fn set(stage: &mut Stage, enabled: Option<bool>, size: Option<&str>) -> Result<(), Error> {
    if let Some(size) = size.filter(|size| !size.is_empty()) {
        let is_known = SIZES.contains(&size);
        stage.cache_cluster_size =
            Some(is_known.then(|| size.to_owned()).ok_or_else(|| Error::CacheClusterSize(size.to_owned()))?);
    }
    stage.cache_cluster_enabled = enabled.unwrap_or(stage.cache_cluster_enabled);
    if stage.cache_cluster_enabled {
        stage.cache_cluster_size.get_or_insert_with(|| SIZES[0].to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_has_a_size() {
        let mut stage = crate::stage::fresh(&Default::default(), "api", "dev", "D1", 0);
        let mut run = |enabled, size| {
            set(&mut stage, enabled, size).map_err(|error| error.to_string())?;
            Ok::<_, String>((stage.cache_cluster_enabled, stage.cache_cluster_size.clone()))
        };
        assert_eq!(run(None, None), Ok((false, None)));
        assert_eq!(run(Some(true), None), Ok((true, Some("0.5".to_owned()))));
        assert_eq!(run(None, Some("237")), Ok((true, Some("237".to_owned()))));
        assert_eq!(run(Some(false), Some("")), Ok((false, Some("237".to_owned()))));
        assert!(run(None, Some("0.6")).is_err());
    }
}
