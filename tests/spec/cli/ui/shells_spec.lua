-- shells: what completes the command's words. Each real shell that is installed is asked.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local shell = require "tests.spec.support.process.shell"

local quote = shell.quote

-- What is typed, and the words that may stand in the place of the last one.
local cases = {
  { "mde rest", { "restrict" } },
  { "mde restrict --allow s", { "servers" } },
  { "mde restrict --cance", { "--cancel-opposite" } },
  { "mde machines --columns lastS", { "lastSeen" } },
  { "mde machines --columns id,last", { "id,lastExternalIpAddress", "id,lastIpAddress", "id,lastSeen" } },
  { "mde machines --columns id,lastS", { "id,lastSeen" } },
  { "mde machines --sort riskS", { "riskScore" } },
  { "mde actions --sort last", { "lastUpdateDateTimeUtc" } },
  { "mde actions s", { "status=" } },
  { "mde machines risk", { "riskScore=" } },
  { "mde help re", { "release", "report", "restrict" } },
  { "mde completion z", { "zsh" } },
}

describe("completion", function()
  local directory

  before_each(function() directory = shell.new_directory() end)

  after_each(function() shell.remove(directory) end)

  -- The script for a shell, in a file of that name.
  local function script(of, name)
    local told = console.run { "completion", of }
    assert.equal(0, told.status, told.err)
    assert.falsy(told.out:find "@[%w_]+@")
    shell.write_file(directory .. "/" .. name, told.out)
    return directory .. "/" .. name
  end

  local function has(name) return shell.output_of("command -v " .. name) ~= "" end

  local function sorted(text)
    local words = {}
    for word in text:gmatch "[^\n\t]+" do words[#words + 1] = word end
    table.sort(words)
    return words
  end

  -- What bash offers for words as it splits them.
  local function in_bash(path, words)
    local quoted = {}
    for i, word in ipairs(words) do quoted[i] = quote(word) end
    return sorted(shell.output_of(("bash --norc -c %s bash %s"):format(quote(("source %s; COMP_WORDS=(\"$@\"); "
      .. "COMP_CWORD=$(($#-1)); _mde; printf '%%s\\n' \"${COMPREPLY[@]}\""):format(path)),
      table.concat(quoted, " "))))
  end

  it("is offered in bash", function()
    if not has "bash" then return pending "bash is not installed" end
    local path = script("bash", "mde")
    for _, case in ipairs(cases) do
      local words = {}
      for word in case[1]:gmatch "%S+" do words[#words + 1] = word end
      assert.same(case[2], in_bash(path, words), case[1])
    end
  end)

  it("is offered in bash behind a sign that ends a word there, and not for a condition's value", function()
    if not has "bash" then return pending "bash is not installed" end
    local path = script("bash", "mde")
    assert.same({ "id,lastSeen" }, in_bash(path, { "mde", "machines", "--columns", "=", "id,lastS" }))
    assert.equal(6, #in_bash(path, { "mde", "restrict", "--allow", "=" }))
    assert.same({}, in_bash(path, { "mde", "machines", "riskScore", "=" }))
    assert.same({}, in_bash(path, { "mde", "machines", "riskScore", "=", "id" }))
  end)

  it("is offered in fish", function()
    if not has "fish" then return pending "fish is not installed" end
    local path = script("fish", "mde.fish")
    for _, case in ipairs(cases) do
      local offered = shell.output_of(("HOME=%s fish --no-config -c %s"):format(directory,
        quote(("source %s; complete -C %s | string replace -r '\\t.*' ''"):format(path, quote(case[1])))))
      assert.same(case[2], sorted(offered), case[1])
    end
    local told = shell.output_of(("HOME=%s fish --no-config -c %s"):format(directory,
      quote(("source %s; complete -C 'mde action --col'"):format(path))))
    assert.equal("", told)
  end)

  -- Types each line and Tab in a zsh of its own, and reads what stands there then.
  local in_zsh = [[
zmodload zsh/zpty
zpty z env -i TERM=xterm HOME=%s PATH=$PATH zsh -f -i
zpty -w z "unsetopt zle_bracketed_paste; PS1='> '; fpath=(%s \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w z "mde() { print -r -- \"got[\$*]\" }; echo rea''dy"
zpty -r -m z out '*ready*'
for line in "$@"; do
  zpty -w z "$line"$'\t'
  zpty -r -m z out '*got\[*\]*'
  print -r -- "$out"
done
zpty -d z
]]

  it("is offered in zsh", function()
    if not has "zsh" then return pending "zsh is not installed" end
    script("zsh", "_mde")
    local place, lines, wanted = directory .. "/play", {}, {}
    shell.write_file(place, in_zsh:format(directory, directory))
    for _, case in ipairs(cases) do
      if not case[2][2] then
        lines[#lines + 1] = quote(case[1])
        wanted[#wanted + 1] = case[1]:gsub("^mde ", ""):gsub("%S+$", "") .. case[2][1]
      end
    end
    local told = shell.output_of(("timeout 60 zsh -f %s %s 2>&1"):format(place, table.concat(lines, " ")))
    local got = {}
    for text in told:gmatch "got%[([^%]]*)%]" do got[#got + 1] = text end
    assert.same(wanted, got, told)
  end)
end)
