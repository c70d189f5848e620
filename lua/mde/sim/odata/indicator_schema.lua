-- The record of an indicator.
local schema = require "mde.sim.odata.schema"

local property = schema.property

local M = {}

M.indicator = schema.define("Indicators", {
  property("id", "String"),
  property("indicatorValue", "String", true),
  property("indicatorType", "String", true),
  property("action", "String", true),
  property("createdBy", "String", true),
  property("createdByDisplayName", "String", true),
  property("createdBySource", "String"),
  property("severity", "String", true),
  property("category", "Int32"),
  property("application", "String", true),
  property("educateUrl", "String"),
  property("bypassDurationHours", "Int32"),
  property("title", "String", true),
  property("description", "String"),
  property("recommendedActions", "String"),
  property("creationTimeDateTimeUtc", "DateTimeOffset", true),
  property("expirationTime", "DateTimeOffset", true),
  property("lastUpdateTime", "DateTimeOffset"),
  property("lastUpdatedBy", "String"),
  property("rbacGroupNames", "Collection", true),
  property("rbacGroupIds", "Collection"),
  property("notificationId", "String"),
  property("notificationBody", "String"),
  property("version", "String"),
  property("externalId", "String"),
  property("generateAlert", "Boolean", true),
  property("source", "String"),
  property("sourceType", "String"),
})

return M
