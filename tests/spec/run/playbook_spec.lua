-- A playbook is read, has globals of its own, and cannot end the process.
local errors = require "mde.base.error"
local playbook = require "mde.run.playbook"
local shell = require "tests.spec.support.process.shell"

local function of(text, arguments) return assert(playbook.of_text("contain.lua", text, arguments or {})) end

local function run(text, library, arguments) return playbook.run(of(text, arguments), library or {}, 7) end

-- What a playbook tells by its library.
local function told(text, arguments)
  local list = {}
  assert(run("local tell = require('mde').tell " .. text, { tell = function(...) list[#list + 1] = { ... } end },
    arguments))
  return list
end

describe("a playbook", function()
  local directory

  before_each(function() directory = shell.new_directory() end)

  after_each(function() shell.remove(directory) end)

  local function file(name, text)
    local path = directory .. "/" .. name
    shell.write_file(path, text)
    return path
  end

  it("prints to standard error while it is planned, a tab as blanks", function()
    local written, standard = {}, io.stderr
    io.stderr = { write = function(_, ...) written[#written + 1] = table.concat { ... } end } -- luacheck: ignore 122
    local ended, err = playbook.run(of [[print("a\tb", 1, "\27[2J")]], {}, 7, true)
    io.stderr = standard -- luacheck: ignore 122
    assert(ended, err)
    assert.same({ "plan: a    b    1    \\x1b[2J\n" }, written)
  end)

  it("is read as it stands, whatever its bytes", function()
    local text = "#!/usr/bin/mde\r\n-- \0\255\r\nreturn 1"
    local path = file("a.lua", text)
    local read = assert(playbook.read(path, { "INC-1" }))
    assert.same({ path, text, "INC-1" }, { read.name, read.text, read.arguments[1] })
    assert.equal(32, #read.digest)
    assert.is_true(playbook.run(read, {}, 1))
    assert.are_not.equal(read.digest, playbook.read(file("b.lua", text .. " "), {}).digest)
  end)

  it("that cannot be one is refused", function()
    for words, path in pairs { ["no such"] = directory .. "/none.lua", ["longer than 4 MB"] =
      file("long.lua", ("x"):rep(4 * 1024 * 1024 + 1)), ["compiled"] = file("c.lua", string.dump(function() end)),
      ["directory"] = directory } do
      local read, err = playbook.read(path, {})
      assert.is_nil(read)
      assert.equal("playbook_unreadable", err.code)
      assert.matches(words, err.message:gsub("^(.)", string.lower):gsub("No such", "no such"):gsub("Is a d", "is a d"))
    end
    assert.is_not_nil(playbook.read(file("most.lua", ("x"):rep(4 * 1024 * 1024)), {}))
    assert.is_not_nil(playbook.read(file("empty.lua", ""), {}))
  end)

  it("gets its arguments and its name", function()
    assert.same({ { "a", "b", 2, "contain.lua", "a" } },
      told("tell(..., select(2, ...), #arg, arg[0], arg[1])", { "a", "b" }))
  end)

  it("leaves no global, in the process or for the next pass", function()
    local text = "tell(leftover, _G.leftover) leftover = 1 _G.other = 2 tell(_G.leftover, other) arg[1] = 'changed'"
    local own = of("local tell = require('mde').tell " .. text, { "x" })
    for _ = 1, 2 do
      local list = {}
      assert(playbook.run(own, { tell = function(...) list[#list + 1] = { ... } end }, 7))
      assert.same({ {}, { 1, 2 } }, list)
    end
    assert.is_nil(rawget(_G, "leftover"))
    assert.is_nil(rawget(_G, "other"))
    assert.same({ "x" }, own.arguments)
  end)

  it("draws the same random numbers in each pass", function()
    local text = "tell(math.random(1e6), math.random(1e6), math.random())"
    local first = told(text)
    math.random()
    assert.same(first, told(text))
    local list = {}
    assert(playbook.run(of("require('mde').tell(math.random(1e6))"), { tell = function(n) list[1] = n end }, 8))
    assert.are_not.equal(first[1][1], list[1])
  end)

  it("has the library of the run only while it runs", function()
    local own = package.loaded.mde
    assert(run "assert(require('mde').mark)" == nil)
    assert(run("assert(require('mde').mark)", { mark = true }))
    assert.equal(own, package.loaded.mde)
    run("error 'x'", { mark = true })
    assert.equal(own, package.loaded.mde)
  end)

  for words, case in pairs {
    ["a text"] = { "error 'too bad'", "contain.lua:1: too bad" }, ["a table"] = { "error { 1 }", "table: " },
    ["a table with words"] = { "error(setmetatable({}, { __tostring = function() return 'words' end }))", "words" },
    ["a table that cannot be shown"] = { "error(setmetatable({}, { __tostring = function() error 'no' end }))",
      "a table" },
    ["nil"] = { "error(nil)", "nil" }, ["bytes for a terminal"] = { "error('\\27[2J', 0)", "\\x1b[2J" },
  } do
    it("that raises " .. words .. " has ended", function()
      local ended, err = run(case[1])
      assert.is_nil(ended)
      assert.is_true(errors.is(err))
      assert.equal("playbook_raised", err.code)
      assert.matches(case[2], err.message, 1, true)
      assert.is_nil(err.message:find "%c")
    end)
  end

  it("cannot end the process, nor keep others from it", function()
    local exit = os.exit
    for _, text in ipairs { "os.exit()", "os.exit(0)", "os.exit(true, true)", "coroutine.wrap(os.exit)(1)" } do
      local ended, err = run(text)
      assert.is_nil(ended)
      assert.equal("playbook_exits", err.code)
      assert.equal(exit, os.exit)
    end
  end)

  it("that is no Lua says where", function()
    for _, text in ipairs { "if", "\27Lua" } do
      local ended, err = run(text)
      assert.is_nil(ended)
      assert.equal("playbook_malformed", err.code)
    end
    assert.matches("contain.lua:2", select(2, run "local a\nif").message, 1, true)
  end)

  it("tells which modules it has loaded, and loads them again in the next pass", function()
    local before = package.path
    package.path = directory .. "/?.lua;" .. before
    file("own_module.lua", "local M = { n = 0 } return M")
    local list = {}
    for i = 1, 2 do
      local ended, err, modules = run [[
        local own = require "own_module"
        own.n = own.n + 1
        assert(own.n == 1)
        require "mde.run.playbook" ]]
      assert.is_true(ended, err and err.message)
      list[i] = modules
    end
    package.path = before
    assert.same(list[1], list[2])
    assert.equal(1, #list[1])
    assert.equal("own_module", list[1][1].name)
    assert.equal(directory .. "/own_module.lua", list[1][1].path)
    assert.equal(32, #list[1][1].digest)
  end)

  it("tells of a module in C where it lies, and its digest", function()
    local fork = package.loaded["tests.fork"]
    package.loaded["tests.fork"] = nil
    local _, _, modules = run "require 'tests.fork'"
    package.loaded["tests.fork"] = fork
    assert.equal("tests.fork", modules[1].name)
    assert.matches("/tests/fork%.so$", modules[1].path)
    assert.equal(assert(of(shell.read_file(modules[1].path))).digest, modules[1].digest)
  end)
end)
