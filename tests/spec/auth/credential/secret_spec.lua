-- credential.secret: a client secret, given as it is or in a file.

local core = require "mde.core"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"
local secret = require "mde.auth.credential.secret"
local shell = require "tests.spec.support.process.shell"
local posted = require("tests.spec.support.token_request").posted

local VALUE = "a made-up value ~+/=%&"

describe("a client secret", function()
  it("says what it has to send, and nothing to those who print it", function()
    local credential = secret.new(VALUE)
    assert.same({ client_secret = VALUE }, posted(credential))
    assert.is_nil(tostring(credential):find("made-up", 1, true))
    for name, value in pairs(credential) do
      assert.is_nil((tostring(name) .. tostring(value)):find("made-up", 1, true))
    end
    for _, value in ipairs(credential:secrets()) do
      assert.is_nil(tostring(value):find("made-up", 1, true))
    end
    assert.equal("say [redacted].", core.redact.known("say " .. VALUE .. ".", credential:secrets()))
  end)

  it("is the same by the face", function()
    assert.same({ client_secret = VALUE }, posted(mde.credential.secret(VALUE)))
  end)

  local wrong = {
    { "is nothing", nil, "empty" }, { "is empty", "", "empty" }, { "is a number", 7, "empty" },
    { "has a line end", "value\n", "line break" }, { "has a NUL", "val\0ue", "control character" },
    { "is a whole file", ("x"):rep(4097), "4,096" },
    { "is UTF-16", "\255\254v\0a\0l\0", "UTF%-16" }, { "is UTF-16 without a mark", "v\0a\0l\0", "UTF%-16" },
    { "begins with a byte order mark", "\239\187\191value", "byte order mark" },
    { "begins with a blank", " value", "blank" }, { "ends with a blank", "value ", "blank" },
    { "is a blank", " ", "blank" }, { "ends in a written line end", "value\\n", "backslash and a letter" },
    { "ends in one of Windows", "value\\r\\n", "backslash and a letter" },
    { "stands between typographic quotes", "\226\128\156value\226\128\157", "typographic quote" },
    { "ends with a blank of a web page", "value\194\160", "ends with a blank$" },
    { "begins with a wide blank", "\227\128\128value", "ends with a blank$" },
    { "has a control character beyond ASCII", "val\194\133ue", "control character" },
    { "begins with a blank of no width", "\226\128\139value", "web page" },
    { "stands between quotes", '"value"', "between quotes" }, { "stands between others", "'value'", "between quotes" },
  }
  for _, case in ipairs(wrong) do
    it("is refused if it " .. case[1], function()
      local err = rehearsal.refused(secret.new, case[2])
      assert.matches(case[3], err.message)
      assert.is_string(err.hint)
      assert.is_nil(tostring(err):find("val", 1, true) and tostring(err):find("ue\\", 1, true))
    end)
  end

  it("reaches the sign-in service whatever characters it has", function()
    for _, value in ipairs { "~+/=%&", "a b c d", "\195\164\226\130\172 and more", [[quotes"'\]], "%41%20+" } do
      local r = rehearsal.new { client_secret = value, client = { credential = value } }
      assert.truthy(r.client:machine "desk-5")
    end
  end)

  it("may be one that the caller made", function()
    local r = rehearsal.new()
    r = rehearsal.new { client = { credential = secret.new(r.tenant.client_secret) } }
    assert.truthy(r.client:machine "desk-5")
  end)
end)

describe("a client secret in a file", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  it("is what the file has, without the end of its line", function()
    shell.write_file(path, VALUE .. "\n")
    assert.same({ client_secret = VALUE }, posted(mde.credential.secret_file(path)))
  end)

  for what, text in pairs {
    ["a line end of Windows"] = VALUE .. "\r\n", ["blank lines and blanks"] = "\r\n \t" .. VALUE .. " \n\n",
    ["a byte order mark"] = "\239\187\191" .. VALUE .. "\n",
    ["a byte order mark and a blank line"] = "\239\187\191\n" .. VALUE,
  } do
    it("is what the file has, without " .. what, function()
      shell.write_file(path, text)
      assert.same({ client_secret = VALUE }, posted(mde.credential.secret_file(path)))
    end)
  end

  for what, case in pairs {
    ["UTF-16"] = { "\255\254p\0l\0a\0n\0\n\0", "UTF%-16", "credential_unreadable" },
    ["the other UTF-16"] = { "\254\255\0p\0l\0a\0n\0\n", "UTF%-16", "credential_unreadable" },
    ["UTF-16 without a mark"] = { "p\0l\0a\0n\0\n\0", "UTF%-16", "secret_malformed" },
    ["two lines"] = { "planted\nanother\n", "line break", "secret_malformed" },
    ["a written line end"] = { "planted\\n\n", "backslash and a letter", "secret_malformed" },
    ["quotes"] = { '"planted"\n', "between quotes", "secret_malformed" },
    ["nothing but a mark"] = { "\239\187\191\n", "is empty", "credential_unreadable" },
  } do
    it("is refused for " .. what .. ", also while it is in use", function()
      local function check(err)
        assert.equal("auth", err.kind)
        assert.equal(case[3], err.code)
        assert.matches(case[2], err.message)
        assert.matches(path, err.message, 1, true)
        assert.is_nil(tostring(err):find("planted", 1, true))
      end
      shell.write_file(path, case[1])
      local ok, err = pcall(mde.credential.secret_file, path)
      assert.is_false(ok)
      check(err)
      if case[3] ~= "secret_malformed" then return end
      shell.write_file(path, VALUE)
      local credential = mde.credential.secret_file(path)
      shell.write_file(path, case[1])
      for _ = 1, 2 do
        local request = require("tests.spec.support.token_request").new()
        local answer
        answer, err = credential:ask(request)
        assert.is_nil(answer)
        assert.is_nil(request.posted)
        check(err)
      end
      shell.write_file(path, VALUE .. "2")
      assert.same({ client_secret = VALUE .. "2" }, posted(credential))
    end)
  end

  it("is read again when the file has changed, which ends the memory of a failure", function()
    shell.write_file(path, "not the right one")
    local r = rehearsal.new { client = { credential = mde.credential.secret_file(path) } }
    local machine, err = r.client:machine "desk-5"
    assert.is_nil(machine)
    assert.equal("AADSTS7000215", err.code)
    machine, err = r.client:machine "desk-5"
    assert.is_nil(machine)
    assert.equal("AADSTS7000215", err.code)
    assert.is_number(err.age)
    assert.equal(1, r:count "token_refused")
    shell.write_file(path, r.tenant.client_secret .. " \n")
    assert.truthy(r.client:machine "desk-5")
    assert.equal(1, r:count "token_issued")
  end)

  it("stays what it was when the file cannot be read any more", function()
    local r = rehearsal.new()
    shell.write_file(path, r.tenant.client_secret)
    r = rehearsal.new { client = { credential = mde.credential.secret_file(path) } }
    os.remove(path)
    assert.truthy(r.client:machine "desk-5")
  end)

  it("that changes into one that cannot be read does not end the memory of a failure for good", function()
    shell.write_file(path, "not the right one")
    local r = rehearsal.new { client = { credential = mde.credential.secret_file(path) } }
    assert.is_nil(r.client:machine "desk-5")
    shell.write_file(path, "neither")
    os.execute("chmod 666 " .. path)
    for _ = 1, 5 do assert.equal("AADSTS7000215", select(2, r.client:machine "desk-5").code) end
    assert.equal(2, r:count "token_refused")
  end)
end)
