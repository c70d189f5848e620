-- credential.secret_file: when the file is read, and what becomes of what was read when it cannot be read any more.

local rehearsal = require "tests.spec.support.rehearsal"
local secret_files = require "mde.auth.credential.secret_file"
local shell = require "tests.spec.support.process.shell"

local VALUE = "a made-up value"

describe("a file with something secret", function()
  local path, file

  before_each(function()
    path = os.tmpname()
    shell.write_file(path, VALUE .. " \n")
    os.execute("chmod 600 " .. path)
    file = secret_files.new(path, "the file with the secret", 64)
  end)

  after_each(function() os.remove(path) end)

  local function content()
    local value, err, is_new = file:read()
    return value and value:reveal(), err, is_new
  end

  it("is read once, and again when it has changed", function()
    assert.is_true(file:changed())
    assert.same({ VALUE, nil, true }, { content() })
    assert.is_false(file:changed())
    assert.same({ VALUE, nil, false }, { content() })
    shell.write_file(path, "another")
    assert.is_true(file:changed())
    assert.same({ "another", nil, true }, { content() })
  end)

  it("is read whatever its stamp says, if that is asked for", function()
    content()
    local _, _, is_new = file:read_again()
    assert.is_true(is_new)
  end)

  it("stays what it was while there is none that can be read", function()
    content()
    os.remove(path)
    assert.is_false(file:changed())
    assert.same({ VALUE, nil, false }, { content() })
    shell.write_file(path, "for everybody")
    os.execute("chmod 666 " .. path)
    assert.is_true(file:changed())
    assert.same({ VALUE, nil, false }, { content() })
    -- Not tried again before it changes once more.
    assert.is_false(file:changed())
    os.execute("chmod 600 " .. path)
    assert.equal("for everybody", (content()))
  end)

  it("is refused if it is too long, also where it was a good one before", function()
    shell.write_file(path, ("x"):rep(64))
    assert.equal(("x"):rep(64), (content()))
    shell.write_file(path, ("x"):rep(65))
    local value, err = content()
    assert.is_nil(value)
    assert.equal("auth", err.kind)
    assert.matches("longer than 64 bytes", err.message, 1, true)
    assert.matches(path, err.message, 1, true)
  end)

  it("that others may read is remarked on, and that everybody may write is refused", function()
    content()
    assert.is_nil(file.remark)
    os.execute("chmod 644 " .. path)
    content()
    assert.matches("others", file.remark)
    os.execute("chmod 666 " .. path)
    file = secret_files.new(path, "the file with the secret", 64)
    local value, err = content()
    assert.is_nil(value)
    assert.matches("everybody", err.message)
  end)

  it("that cannot be had is an error that names it", function()
    for _, case in ipairs { { "/nonexistent/secret", "No such file" }, { "/tmp", "regular file" } } do
      file = secret_files.new(case[1], "the file with the secret", 64)
      local value, err = content()
      assert.is_nil(value)
      assert.equal("auth", err.kind)
      assert.matches("the file with the secret cannot be used: ", err.message, 1, true)
      assert.matches(case[1], err.message, 1, true)
      assert.matches(case[2], err.message, 1, true)
      assert.is_string(err.hint)
    end
  end)

  it("has a path", function()
    for _, wrong in ipairs { "", 7, {} } do
      assert.matches("the file with the secret must be a path",
        rehearsal.refused(secret_files.new, wrong, "the file with the secret", 64).message, 1, true)
    end
  end)

  it("is not shown if it was given in the place of its path", function()
    local federated = require "mde.auth.credential.federated"
    for text, kind in pairs { ["-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n"] = "a PEM text",
      ["-----BEGIN PRIVATE KEY-----\\nplanted"] = "a PEM text", ["eyJplanted.planted.planted"] = "a token",
      ["pla8Q~planted_planted.planted-planted-ed"] = "a client secret",
      ["planted\nplanted"] = "several lines" } do
      for _, made in ipairs { { secret_files.new, text, "the file", 64 }, { federated.new, text } } do
        local err = rehearsal.refused(made[1], made[2], made[3], made[4])
        assert.equal("wrong_value", err.code)
        assert.matches(kind, err.message, 1, true)
        assert.is_nil(tostring(err):find("planted", 1, true))
      end
    end
  end)
end)
