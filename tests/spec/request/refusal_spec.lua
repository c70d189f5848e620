-- What is read out of an answer that is not a success.
-- Labels: not-lua5.3

local errors = require "mde.base.error"
local refusals = require "mde.request.refusal"

local function read(body, headers)
  return refusals.read({ status = 400, headers = headers or {}, body = body }, errors.show)
end

local function said(message)
  return read(('{"error":{"code":"BadRequest","message":"%s","target":"|7.7."}}'):format(message))
end

describe("a refusal", function()
  it("has the service's code, message and request", function()
    local refusal = said "No."
    assert.same({ "BadRequest", "No.", "|7.7.", false },
      { refusal.code, refusal.message, refusal.request_id, refusal.foreign })
  end)

  it("of Graph has its request further in, however that is spelled", function()
    for _, name in ipairs { "innerError", "innererror" } do
      local refusal = read(('{"error":{"code":"BadRequest","message":"","%s":{"request-id":"7.7"}}}'):format(name),
        { ["request-id"] = "8.8" })
      assert.same({ "BadRequest", nil, "7.7" }, { refusal.code, refusal.message, refusal.request_id })
    end
    assert.equal("8.8", read('{"error":{"innerError":7}}', { ["request-id"] = "8.8" }).request_id)
  end)

  it("has its request in a header where the body lacks it", function()
    for _, name in ipairs { "mise-correlation-id", "x-ms-request-id", "request-id" } do
      assert.equal("7.7", read("{}", { [name] = "7.7" }).request_id)
    end
  end)

  it("is foreign with a body that is no object", function()
    for _, body in ipairs { "<html>", "Bad Gateway", '{"error":', "7" } do assert.is_true(read(body).foreign, body) end
    for _, body in ipairs { "", " \r\n", "{}", '{"error":"invalid_client"}' } do
      assert.same({ foreign = false }, read(body), body)
    end
  end)

  it("may have numbers in it, and leaves out what is of another type or empty", function()
    local refusal = read '{"error":{"code":42,"message":7}}'
    assert.same({ "42", "7" }, { refusal.code, refusal.message })
    assert.same({ foreign = false }, read '{"error":{"code":{},"message":[1],"target":false}}')
    assert.same({ foreign = false }, read '{"error":{"code":"","message":""}}')
  end)

  it("is fit to be shown but for its message", function()
    local refusal = read('{"error":{"code":"a\\u001bb","message":"c\\u001bd","target":"e\\u001bf"}}')
    assert.same({ "a\\x1bb", "c\27d", "e\\x1bf" }, { refusal.code, refusal.message, refusal.request_id })
  end)

  -- In the service's words, as they were seen.
  for message, fields in pairs {
    ["Unauthorized request - reason of failure: Account mode is inactive"] = { not_provisioned = true },
    ["The tenant is not provisioned."] = { not_provisioned = true },
    ["Missing application roles. API required roles: A.Read,B.Read, application roles: C.Read."] = {
      required_roles = "A.Read,B.Read", present_roles = "C.Read" },
    ["API required roles: A.Read, application roles: ."] = { required_roles = "A.Read", present_roles = "" },
    ["No."] = {},
  } do
    it("says more in its message: " .. message, function()
      local refusal = said(message)
      for _, name in ipairs { "not_provisioned", "required_roles", "present_roles" } do
        assert.equal(fields[name] or nil, refusal[name] or nil, name)
      end
    end)
  end
end)
