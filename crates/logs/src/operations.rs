//! One file per operation: its input, its output, one function.

mod cancel_export_task;
mod create_export_task;
mod create_log_group;
mod create_log_stream;
mod delete_log_group;
mod delete_log_stream;
mod delete_metric_filter;
mod delete_query_definition;
mod delete_resource_policy;
mod delete_retention_policy;
mod delete_subscription_filter;
mod describe_export_tasks;
mod describe_log_groups;
mod describe_log_streams;
mod describe_metric_filters;
mod describe_queries;
mod describe_query_definitions;
mod describe_resource_policies;
mod describe_subscription_filters;
mod filter_log_events;
mod get_log_events;
mod get_log_group_fields;
mod get_log_record;
mod get_query_results;
mod list_tags_for_resource;
mod list_tags_log_group;
mod put_log_events;
mod put_log_group_deletion_protection;
mod put_metric_filter;
mod put_query_definition;
mod put_resource_policy;
mod put_retention_policy;
mod put_subscription_filter;
mod start_live_tail;
mod start_query;
mod stop_query;
mod tag_log_group;
mod tag_resource;
mod test_metric_filter;
mod untag_log_group;
mod untag_resource;

use pitbird_service::Builder;
use serde::Serialize;

use crate::State;

/// Hangs all operations in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("CancelExportTask", &[], cancel_export_task::run)
        .operation("CreateExportTask", &[], create_export_task::run)
        .operation("CreateLogGroup", &[], create_log_group::run)
        .operation("CreateLogStream", &[], create_log_stream::run)
        .operation("DeleteLogGroup", &[], delete_log_group::run)
        .operation("DeleteLogStream", &[], delete_log_stream::run)
        .operation("DeleteMetricFilter", &[], delete_metric_filter::run)
        .operation("DeleteResourcePolicy", &[], delete_resource_policy::run)
        .operation("DeleteQueryDefinition", &[], delete_query_definition::run)
        .operation("DeleteRetentionPolicy", &[], delete_retention_policy::run)
        .operation("DeleteSubscriptionFilter", &[], delete_subscription_filter::run)
        .operation("DescribeExportTasks", &[], describe_export_tasks::run)
        .operation("DescribeLogGroups", &[], describe_log_groups::run)
        .operation("DescribeLogStreams", &[], describe_log_streams::run)
        .operation("DescribeMetricFilters", &[], describe_metric_filters::run)
        .operation("DescribeResourcePolicies", &[], describe_resource_policies::run)
        .operation("DescribeSubscriptionFilters", &[], describe_subscription_filters::run)
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
        .operation("PutMetricFilter", &[], put_metric_filter::run)
        .operation("PutResourcePolicy", &[], put_resource_policy::run)
        .operation("PutRetentionPolicy", &[], put_retention_policy::run)
        .operation("PutSubscriptionFilter", &[], put_subscription_filter::run)
        .streaming_operation("StartLiveTail", &[], start_live_tail::run)
        .operation("PutQueryDefinition", put_query_definition::HARMLESS, put_query_definition::run)
        .operation("StartQuery", &[], start_query::run)
        .operation("StopQuery", &[], stop_query::run)
        .operation("TagLogGroup", &[], tag_log_group::run)
        .operation("TagResource", &[], tag_resource::run)
        .operation("TestMetricFilter", &[], test_metric_filter::run)
        .operation("UntagLogGroup", &[], untag_log_group::run)
        .operation("UntagResource", &[], untag_resource::run)
}

/// The output of operations that have none.
#[derive(Debug, Serialize)]
pub struct Nothing {}
