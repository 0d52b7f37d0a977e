//! One file per operation: its input, its output, one function.

mod create_log_group;
mod create_log_stream;
mod delete_log_group;
mod delete_log_stream;
mod delete_query_definition;
mod delete_retention_policy;
mod describe_log_groups;
mod describe_log_streams;
mod describe_queries;
mod describe_query_definitions;
mod filter_log_events;
mod get_log_events;
mod get_log_group_fields;
mod get_log_record;
mod get_query_results;
mod list_tags_for_resource;
mod list_tags_log_group;
mod put_log_events;
mod put_log_group_deletion_protection;
mod put_query_definition;
mod put_retention_policy;
mod start_query;
mod stop_query;
mod tag_log_group;
mod tag_resource;
mod untag_log_group;
mod untag_resource;

use pitbird_service::Builder;
use serde::Serialize;

use crate::State;

/// Hangs all operations in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("CreateLogGroup", &[], create_log_group::run)
        .operation("CreateLogStream", &[], create_log_stream::run)
        .operation("DeleteLogGroup", &[], delete_log_group::run)
        .operation("DeleteLogStream", &[], delete_log_stream::run)
        .operation("DeleteQueryDefinition", &[], delete_query_definition::run)
        .operation("DeleteRetentionPolicy", &[], delete_retention_policy::run)
        .operation("DescribeLogGroups", &[], describe_log_groups::run)
        .operation("DescribeLogStreams", &[], describe_log_streams::run)
        .operation("DescribeQueries", &[], describe_queries::run)
        .operation("DescribeQueryDefinitions", &[], describe_query_definitions::run)
        .operation("FilterLogEvents", filter_log_events::HARMLESS, filter_log_events::run)
        .operation("GetLogEvents", get_log_events::HARMLESS, get_log_events::run)
        .operation("GetLogGroupFields", &[], get_log_group_fields::run)
        .operation("GetLogRecord", get_log_record::HARMLESS, get_log_record::run)
        .operation("GetQueryResults", &[], get_query_results::run)
        .operation("ListTagsForResource", &[], list_tags_for_resource::run)
        .operation("ListTagsLogGroup", &[], list_tags_log_group::run)
        .operation("PutLogEvents", put_log_events::HARMLESS, put_log_events::run)
        .operation("PutLogGroupDeletionProtection", &[], put_log_group_deletion_protection::run)
        .operation("PutQueryDefinition", put_query_definition::HARMLESS, put_query_definition::run)
        .operation("PutRetentionPolicy", &[], put_retention_policy::run)
        .operation("StartQuery", &[], start_query::run)
        .operation("StopQuery", &[], stop_query::run)
        .operation("TagLogGroup", &[], tag_log_group::run)
        .operation("TagResource", &[], tag_resource::run)
        .operation("UntagLogGroup", &[], untag_log_group::run)
        .operation("UntagResource", &[], untag_resource::run)
}

/// The output of operations that have none.
#[derive(Debug, Serialize)]
pub struct Nothing {}
