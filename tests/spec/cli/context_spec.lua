-- context: what a subcommand runs with.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local contexts = require "mde.cli.context"
local errors = require "mde.base.error"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

describe("the context of a subcommand", function()
  local own, client, given, steps = mde.client, nil, nil, nil

  before_each(function()
    client, given, steps = rehearsal.new({ machines = {} }).client, nil, {}
    mde.client = function(options)
      steps[#steps + 1] = "client"
      given = options
      return client, not client and errors.new { kind = "invalid", code = "settings_missing",
        message = "not set" } or nil
    end
  end)

  after_each(function() mde.client = own end)

  local subcommand = {
    request = function(arguments)
      steps[#steps + 1] = "request"
      if arguments.wrong then errors.invalid("wrong_type", "wrong") end
      return "what is asked"
    end,
    client_options = function(arguments) return { cap = arguments.cap } end,
  }

  local function new(command, arguments, options)
    return console.capture(function() return contexts.new(command, arguments, "the parser") end, options)
  end

  it("has what the arguments ask, and then the client", function()
    local context = new(subcommand, { cap = 7, csv = true }).value
    assert.same({ "request", "client" }, steps)
    assert.equal("what is asked", context.request)
    assert.equal(client, context.client)
    assert.equal(7, given.cap)
    assert.equal(7, context.arguments.cap)
    assert.equal("csv", context.format)
    assert.equal("the parser", context.parser)
  end)

  it("makes the options of its client of those of the profile", function()
    local known
    new({ client_options = function(_, settings)
      known = settings
      return {}
    end }, {})
    assert.equal(given, known)
  end)

  it("is not made where the arguments are wrong, nor is a client", function()
    assert.equal("wrong", rehearsal.refused(contexts.new, subcommand, { wrong = true }).message)
    assert.same({ "request" }, steps)
  end)

  it("is not made where the environment describes no client", function()
    client = nil
    assert.equal("not set", rehearsal.refused(contexts.new, subcommand, {}).message)
  end)

  it("is not made where Ctrl-C ended the reading of a list", function()
    assert.is_nil(new(subcommand, {}, { interruptions = function() return 1 end }).value)
    assert.same({ "request" }, steps)
  end)

  it("has no client where none is needed", function()
    local context = new({ needs_no_client = true }, { json = true }).value
    assert.same({}, steps)
    assert.is_nil(context.client)
    assert.equal("json", context.format)
  end)

  it("has no client where what is asked needs none", function()
    local other = { request = subcommand.request,
      needs_client = function(request) return request ~= "what is asked" end }
    assert.is_nil(new(other, {}).value.client)
    assert.same({ "request" }, steps)
    other.request = function() return "more" end
    assert.equal(client, new(other, {}).value.client)
  end)

  it("says what the client warns of", function()
    client.remarks = function() return { "the secret's file may be read by others" } end
    assert.equal("mde: warning: the secret's file may be read by others\n", new(subcommand, {}).err)
    local told = console.capture(function()
      given.on_event { event = "warning", message = "the clocks\27 differ" }
      given.on_event { event = "request", message = "nobody's concern" }
    end)
    assert.equal("mde: warning: the clocks\\x1b differ\n", told.err)
  end)

  it("is quiet where that is asked for, and not for ever", function()
    new(subcommand, { quiet = true })
    assert.is_true(require("mde.cli.ui.terminal").is_quiet())
    new(subcommand, {})
    assert.is_false(require("mde.cli.ui.terminal").is_quiet())
  end)
end)
