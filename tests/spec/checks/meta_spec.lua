-- tests/checks/meta: it passes for the project, and names what a module has and its meta file has not, or the reverse.
-- Labels: only-lua5.4

local shell = require "tests.spec.support.process.shell"

local BUILD = os.getenv "MDE_BUILD" or "build/tests"

local function run(directory)
  local errors = os.tmpname()
  local output = shell.output_of(("lua5.4 tests/checks/meta '%s' '%s' 2>'%s'; echo \"status $?\""):format(BUILD,
    directory, errors))
  local complaints = shell.read_file(errors)
  os.remove(errors)
  return tonumber(output:match "status (%d+)"), complaints
end

describe("the check of what modules declare", function()
  local directory

  before_each(function()
    directory = shell.new_directory()
    for _, module in ipairs { "binding", "posix", "crypto" } do
      os.execute(("mkdir -p '%s/src/%s' && cp src/%s/*.meta.lua '%s/src/%s'"):format(directory, module, module,
        directory, module))
    end
  end)

  after_each(function() shell.remove(directory) end)

  local function replace(path, old, new)
    path = directory .. "/src/" .. path
    local text = shell.read_file(path)
    local from, to = text:find(old, 1, true)
    assert(from, old)
    shell.write_file(path, text:sub(1, from - 1) .. new .. text:sub(to + 1))
  end

  local function assert_complains(words)
    local status, complaints = run(directory)
    assert.equal(1, status)
    assert.truthy(complaints:find(words, 1, true), complaints)
  end

  it("passes", function()
    assert.same({ 0, "" }, { run "." })
    assert.same({ 0, "" }, { run(directory) })
  end)

  local core, posix, crypto = "binding/core.meta.lua", "posix/posix.meta.lua", "crypto/crypto.meta.lua"
  for name, case in pairs {
    ["a function"] = { core, "function base64.encode(bytes) end", "",
      "the function mde.core.base64.encode is not declared" },
    ["a method"] = { core, "function chunks:feed(bytes) end", "", "the method mde.http1.chunks:feed is not declared" },
    ["a table"] = { core, "---@field token mde.core.token\n", "", "the table mde.core token is not declared" },
    ["a number"] = { core, "---@field MAX_WAIT_SECONDS number", "---@field MIN_WAIT_SECONDS number",
      "the number mde.core.outcome MAX_WAIT_SECONDS is not declared" },
    ["a userdata"] = { posix, "---@class mde.locked_file", "---@class mde.file",
      "the class mde.locked_file of a userdata is not declared" },
    ["a function of the module itself"] = { crypto, "function crypto.hex(bytes) end", "",
      "the function mde.crypto.hex is not declared" },
  } do
    it("names " .. name .. " that is not declared", function()
      replace(case[1], case[2], case[3])
      assert_complains(case[4])
    end)
  end

  for name, case in pairs {
    ["a function"] = { core, "function base64.encode(bytes) end",
      "function base64.encode(bytes) end\nfunction base64.wrap() end", "mde.core.base64.wrap is declared" },
    ["a method"] = { core, "function chunks:feed(bytes) end",
      "function chunks:feed(bytes) end\nfunction chunks:eat() end", "mde.http1.chunks:eat is declared" },
    ["a function where there is a method"] = { core, "function chunks:feed(bytes) end",
      "function chunks.feed(self, bytes) end", "mde.http1.chunks.feed is declared" },
    ["a field"] = { posix, "---@field clock mde.posix.clock", "---@field clock mde.posix.clock\n---@field clack number",
      "the field clack of mde.posix is declared" },
    ["what stands twice"] = { crypto, "function crypto.hex(bytes) end",
      "function crypto.hex(bytes) end\nfunction crypto.hex(bytes) end", "crypto.hex is declared twice" },
    ["what is of no class"] = { crypto, "function crypto.hex(bytes) end",
      "function crypto.hex(bytes) end\nfunction cripto.hex() end", "cripto is of no class" },
  } do
    it("names " .. name .. " that is declared and not there", function()
      replace(case[1], case[2], case[3])
      assert_complains(case[4])
    end)
  end

  it("fails where nothing is declared", function()
    os.execute(("rm '%s'/src/*/*.meta.lua"):format(directory))
    assert_complains "there is no *.meta.lua"
  end)
end)
