-- mde.posix.secret_file: a file read into a secret of mde.core. What credentials make of it is in spec/auth/credential.
-- Labels: sanitized-each-lua
local core = require "mde.core"
local script = require "tests.spec.support.process.script"
local shell = require "tests.spec.support.process.shell"

local secret_file = require("mde.posix").secret_file

describe("a secret file", function()
  local path

  before_each(function()
    path = os.tmpname()
    os.execute(("chmod 600 '%s'"):format(path))
  end)

  after_each(function() os.remove(path) end)

  it("is read into a secret of mde.core, without the white space at its ends", function()
    shell.write_file(path, "\t \n fake\0value \r\n\t\n")
    local value, stamp, remark = secret_file.read(path)
    assert.equal(getmetatable(core.secret.new ""), getmetatable(value))
    assert.equal("[secret]", tostring(value))
    assert.equal("fake\0value", value:reveal())
    assert.equal("x [redacted]", core.redact.known("x fake\0value", { value }))
    assert.equal(secret_file.stamp(path), stamp)
    assert.is_nil(remark)
    value:wipe()
    assert.equal(0, #value)
  end)

  it("is read without a byte order mark, and not at all as UTF-16", function()
    for _, text in ipairs { "\239\187\191fake", "\239\187\191 \nfake\n", "fake\r\n" } do
      shell.write_file(path, text)
      assert.equal("fake", secret_file.read(path):reveal())
    end
    shell.write_file(path, "fake \239\187\191x")
    assert.equal("fake \239\187\191x", secret_file.read(path):reveal())
    for _, text in ipairs { "\255\254f\0a\0", "\254\255\0f\0a", "\255\254" } do
      shell.write_file(path, text)
      local value, problem, hint = secret_file.read(path)
      assert.is_nil(value)
      assert.matches("it is UTF%-16", problem)
      assert.matches("Save it as UTF%-8", hint)
    end
  end)

  it("has another stamp when it is another, and the same as long as it is not", function()
    shell.write_file(path, "one")
    local before = secret_file.stamp(path)
    assert.equal(before, secret_file.stamp(path))
    shell.write_file(path, "another")
    assert.not_equal(before, secret_file.stamp(path))
  end)

  it("says that others may read or write it", function()
    shell.write_file(path, "fake")
    for mode, what in pairs { ["640"] = "read by", ["604"] = "read by", ["620"] = "written by" } do
      os.execute(("chmod %s '%s'"):format(mode, path))
      local value, _, remark = secret_file.read(path)
      assert.equal("fake", value:reveal())
      assert.matches(what .. " others", remark)
    end
  end)

  it("is refused, by its path, where it is no safe or no usable one", function()
    local function refused(problem)
      local value, message = secret_file.read(path)
      assert.is_nil(value)
      assert.equal(("%s: %s"):format(path, problem), message)
    end
    refused "it is empty"
    for _, text in ipairs { " \n", "\239\187\191", "\239\187\191\r\n" } do
      shell.write_file(path, text)
      refused "it is empty"
    end
    shell.write_file(path, ("x"):rep(65537))
    refused "it is longer than 65536 bytes"
    shell.write_file(path, ("x"):rep(65536))
    assert.equal(65536, #secret_file.read(path))
    os.execute(("chmod 602 '%s'"):format(path))
    refused "everybody on this machine may write it"
    os.remove(path)
    refused "No such file or directory"
    assert.same({ nil, path .. ": No such file or directory" }, { secret_file.stamp(path) })
    os.execute(("mkfifo '%s'"):format(path))
    refused "it is no regular file"
    assert.is_false(pcall(secret_file.read, "a\0b"))
    assert.is_false(pcall(secret_file.stamp, "a\0b"))
  end)

  it("needs nobody to have loaded mde.core", function()
    shell.write_file(path, "fake")
    local output = script.run(([[
      local posix = require "mde.posix"
      local value = posix.secret_file.read '%s'
      io.write(tostring(value), " ", value:reveal())
    ]]):format(path))
    assert.equal("[secret] fake", output)
  end)

  it("is out of reach, as is the rest of the module, where there is no mde.core", function()
    local output = script.run [[
      package.preload["mde.core"] = function() error "no core here" end
      local ok, message = pcall(require, "mde.posix")
      io.write(tostring(ok), " ", tostring(message):match "no core here" or tostring(message))
    ]]
    assert.equal("false no core here", output)
  end)
end)
