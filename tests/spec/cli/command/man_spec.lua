-- mde man: the manual page, which has all that --help has.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local roff = require "mde.cli.ui.roff"
local shell = require "tests.spec.support.process.shell"

describe("mde man", function()
  local page

  before_each(function()
    local told = console.run { "man" }
    assert.equal(0, told.status, told.err)
    assert.is_nil(told.client_options)
    page = told.out
  end)

  -- The part of a subcommand.
  local function section_of(name)
    local from = assert(page:find((".SS mde %s\n"):format(name), 1, true), name)
    return page:sub(from + 1, page:find("\n%.S[SH] ", from + 1))
  end

  local function help_of(...) return console.run({ "help", ... }).out end

  it("names every subcommand, and every option and argument of it", function()
    local names, options = {}, 0
    for name in help_of():match "\nCommands:\n(.-)\n\n":gmatch "\n? *(%l+) +%u[^\n]+" do names[#names + 1] = name end
    assert.is_true(#names >= 14, #names)
    for _, name in ipairs(names) do
      local section, help = section_of(name), help_of(name)
      for line in help:match "\nOptions:\n(.-)\n\n":gmatch "[^\n]+" do
        for option in (line:match "^ +(%-%S.*)" or ""):gmatch "%f[-]%-%-?[%l%u][%l%u%d-]*%f[^%l%u%d-]" do
          if line:find("^ +%-") and line:find(option, 1, true) < 30 then
            options = options + 1
            assert.truthy(section:find(roff.bold(option), 1, true), name .. " " .. option)
          end
        end
      end
    end
    assert.is_true(options >= 100, options)
    assert.truthy(section_of("state"):find("\n\\fI[<device>] ...\\fR\n", 1, true))
    assert.falsy(section_of("release"):find("cancel\\-opposite", 1, true))
  end)

  it("has the examples, the exit status, the environment and the files", function()
    assert.truthy(section_of("completion"):find("mde completion bash >\\(ti/.local", 1, true))
    for status, text in pairs { ["0"] = "done", ["6"] = "with \\-\\-exit\\-code: something would be sent",
      ["130"] = "interrupted" } do
      assert.truthy(page:find((".TP\n\\fB%s\\fR\n%s\n"):format(status, text), 1, true), status)
    end
    assert.truthy(page:gsub("%s+", " "):find("superseded, cancelled, or you answered no; a line that is no device; "
      .. "the sign\\-in was lost midway .TP", 1, true))
    assert.equal(1, select(2, page:gsub("Of several devices the highest counts", "")))
    local readme = shell.read_file "README.md"
    local described, count = readme:match "## What you need\n(.-)Lua 5%.5, 5%.4, 5%.3", 0
    for name in described:gmatch "%f[%w_][%u]+_[%u_]+%f[^%w_]" do
      count = count + 1
      assert.truthy(page:find("\\fB" .. name .. "\\fR", 1, true), name)
    end
    assert.is_true(count > 8)
    assert.truthy(page:find("\n.SH FILES\n.TP\n\\fB\\(ti/.local/state/mde/sim", 1, true))
  end)

  it("is ASCII, with the day that a build gives", function()
    assert.falsy(page:find "[\128-\255]")
    assert.matches('^%.TH MDE 1 %d%d%d%d%-%d%d%-%d%d "mde %d+%.%d+%.%d+" "User Commands"\n', page)
  end)

  for name, line in pairs {
    groff = "groff -man -ww -Tutf8 %s 2>&1 >/dev/null", mandoc = "mandoc -Tlint -Wwarning %s",
  } do
    it("is taken without a warning by " .. name, function()
      assert.not_equal("", shell.output_of("command -v " .. name), name .. " is missing: tests/set-up tests")
      local directory = shell.new_directory()
      shell.write_file(directory .. "/mde.1", page)
      local said = shell.output_of(line:format(directory .. "/mde.1"))
      shell.remove(directory)
      assert.equal("", said)
    end)
  end
end)
