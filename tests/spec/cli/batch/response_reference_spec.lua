-- Each response action of the core's table stands wherever they are listed: help, manual, completion, doctor, pages.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local core = require "mde.core"
local mde = require "mde"
local permissions = require "mde.permissions"
local roff = require "mde.cli.ui.roff"

-- What a row's command is called, where it is not called like the row.
local command_of = { package_link = "package", set_device_value = "set-device-value" }

local function text_of(...) return console.run({ ... }).out end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

-- The words in backquotes of the cells of a table's lines: "`tag`, `untag`" has two.
local function quoted_in(text, column)
  local found = {}
  for line in text:gmatch "[^\n]+" do
    local cells = {}
    for cell in line:gsub("\\|", ""):gmatch "|([^|]*)" do cells[#cells + 1] = cell end
    for word in (cells[column] or ""):gmatch "`([^`]+)`" do found[word:match "^mde%s+%S+" or word] = line end
  end
  return found
end

describe("each response action", function()
  local help, man = text_of "help", text_of "man"
  local completions = { bash = text_of("completion", "bash"), zsh = text_of("completion", "zsh"),
    fish = text_of("completion", "fish") }
  local readme = read "README.md":match "\n## Response actions\n(.-)\n## "
  local functions, commands = quoted_in(readme, 1), quoted_in(readme, 2)
  local page = quoted_in(read "lua/mde/action/response.md", 1)
  local doctor = {}
  for _, one in ipairs(permissions.functions({}, {})) do
    for name in one.name:gmatch "[%w_]+" do doctor[name] = one.needs end
  end

  for _, name in ipairs(core.response_actions) do
    local row, command = core.response_actions[name], command_of[name] or name
    local quoted = command:gsub("%-", "%%-")

    it("is a function of the module, and of a client: " .. name, function()
      assert.is_function(mde[name])
      assert.is_function(require("mde.client").methods[name])
    end)

    it("is in the help and the manual, with what it takes: " .. name, function()
      assert.matches("\n   " .. quoted .. " +%u", help)
      assert.truthy(man:find((".SS mde %s\n"):format(roff.escape(command)), 1, true))
      local own = text_of("help", command)
      assert.matches("^Usage: mde " .. quoted .. " ", own)
      for _, field in ipairs(row.kind == "acts" and row.fields or {}) do
        if field.option then assert.truthy(own:find("--" .. field.option:gsub("_", "-"), 1, true), field.option) end
      end
      for _, option in ipairs(row.is_capped and { "--cap", "--allow" } or {}) do
        assert.truthy(own:find(option .. " ", 1, true), option)
      end
    end)

    it("is completed by each shell: " .. name, function()
      for shell, place in pairs { bash = "        '%s -') kind=word words='", zsh = "\n  (%s)\n",
        fish = "complete -c mde -n '__fish_mde_in \"\"' -a %s -d '" } do
        assert.truthy(completions[shell]:find(place:format(command), 1, true), shell)
      end
    end)

    it("is known to the doctor: " .. name, function()
      assert.is_string(doctor[name])
      if name ~= "cancel" then assert.equal(row.permission, doctor[name]) end
    end)

    it("is in the reference, with its permission: " .. name, function()
      assert.is_string(functions[name])
      assert.is_string(commands["mde " .. command])
      assert.truthy(functions[name]:gsub("`", ""):find(row.permission, 1, true))
      assert.is_string(page[name])
    end)
  end

  it("is in the table", function()
    for name in pairs(functions) do assert.is_table(core.response_actions[name], name) end
    assert.is_true(#core.response_actions >= 14)
  end)
end)
