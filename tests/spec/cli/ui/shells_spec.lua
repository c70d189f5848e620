-- shells: what completes the words of the command, in real shells: each on a terminal of its own, where lines are typed
-- and Tab is pressed.
-- Labels: only-lua5.4
local console = require "tests.spec.support.console"
local shell = require "tests.spec.support.process.shell"

local quote = shell.quote

-- What is typed, and what stands there after Tab: everything alone that fits.
local completed = {
  { "mde rest", "restrict" },
  { "mde --ver", "--version" },
  { "mde help rep", "help report" },
  { "mde completion z", "completion zsh" },
  { "mde restrict --cance", "restrict --cancel-opposite" },
  { "mde restrict lap-1 --comment x --exit", "restrict lap-1 --comment x --exit-code" },
  { "mde restrict --wait --exit", "restrict --wait --exit-code" },
  { "mde restrict --allow s", "restrict --allow servers" },
  { "mde restrict --allow=s", "restrict --allow=servers" },
  { "mde restrict --allow cap --allow na", "restrict --allow cap --allow names" },
  { "mde sim --certificate wr", "sim --certificate wrong-host" },
  { "mde machines --columns id,lastS", "machines --columns id,lastSeen" },
  { "mde machines --columns=id,lastS", "machines --columns=id,lastSeen" },
  { "mde machines --sort riskS", "machines --sort riskScore" },
  { "mde actions --sort lastU", "actions --sort lastUpdateDateTimeUtc" },
  { "mde actions st", "actions status=" },
  { "mde actions status=Su", "actions status=Succeeded" },
  { "mde machines risk", "machines riskScore=" },
  { "mde machines riskScore=H", "machines riskScore=High" },
  { "mde machines riskScore=High he", "machines riskScore=High healthStatus=" },
  { "mde machines healthStatus!=Im", "machines healthStatus!=ImpairedCommunication" },
  { "mde machines --profile con", "machines --profile contoso" },
  { "mde restrict lap-1 --profile=fab", "restrict lap-1 --profile=fabrikam-eu" },
  { "mde restrict --list REA", "restrict --list README.md" },
  { "mde sim --fixture=REA", "sim --fixture=README.md" },
  { "mde next >/dev/null; mde help rep", "help report" },
}

-- Where any text goes, not even a file's name is offered.
local left = {
  "mde machines computerDnsName=R", "mde machines riskScore=R", "mde restrict REA", "mde restrict --comment REA",
  "mde release --all-of REA", "mde machines --filter REA", "mde machines --profile REA", "mde action REA",
  "mde nothing REA", "mde action --col",
}

-- Files of profiles: the first is one that everybody may write, and one is not there.
local unusable = {
  "[contoso]\ncap = 1\n", "[contoso]\ncap = many\n", "[contoso]\nclient_secret = planted\n", "contoso", "", false,
}

-- All that there is to choose from.
local offered = {
  { "mde restrict --allow ", "cap device_values names platforms servers tags" },
  { "mde machines riskScore=", "High Informational Low Medium None" },
  { "mde machines --profile ", "contoso fabrikam-eu" },
  { "mde machines --columns id,last", "id,lastExternalIpAddress id,lastIpAddress id,lastSeen" },
  { "mde help re", "rehearse release report restrict resume" },
  { "mde completion ", "bash fish zsh" },
}

-- What makes each shell ready: it is interactive, reads no file of a user, and its mde tells what it was given.
local shells = {
  bash = { start = "bash --norc --noprofile -i", file = "mde", ready = [[
PS1='> '
bind 'set bell-style none'
bind '"\C-x\C-a": insert-completions'
mde() { printf 'got[%s]\n' "$*"; }
source @DIRECTORY@/mde
]] },
  zsh = { start = "zsh -f -i", file = "_mde", ready = [[
PS1='> '
fpath=(@DIRECTORY@ $fpath)
autoload -Uz compinit
compinit -u -D
mde() { print -r -- "got[$*]" }
]] },
  fish = { start = "fish --no-config -i", file = "mde.fish", ready = [[
function mde; echo "got["(string join ' ' -- $argv)"]"; end
source @DIRECTORY@/mde.fish
]] },
}

-- zsh makes the terminals.
local PLAY = [[
zmodload zsh/zpty
zpty z env -i TERM=dumb HOME=@DIRECTORY@ XDG_CONFIG_HOME=@DIRECTORY@/config PATH=@DIRECTORY@/bin:$PATH LC_ALL=C @START@
zpty -w z " . @DIRECTORY@/ready; mde rea''dy"
zpty -r -m z out '*got\[ready\]*'
for line in "$@"; do
  zpty -w z "$line"
  zpty -r -m z out '*got\[*\]*'
  print -r -- "$out"
done
zpty -w z exit
while zpty -r z out; do :; done
]]

describe("completion", function()
  local directory

  before_each(function()
    directory = shell.new_directory()
    os.execute(("mkdir -p %s/bin %s/config/mde"):format(directory, directory))
    shell.write_file(directory .. "/config/mde/config", "[contoso]\ncap = 1\n\n[fabrikam-eu]\ncloud = gcc\n")
    -- The command as it is installed, for the names of the profiles.
    local lines = { "#!/bin/sh" }
    for name, value in pairs(shell.lua_environment()) do
      lines[#lines + 1] = ("export %s=%s"):format(name, quote(value))
    end
    lines[#lines + 1] = 'exec lua5.4 lua/mde/cli/mde.lua "$@"\n'
    shell.write_file(directory .. "/bin/mde", table.concat(lines, "\n"))
    os.execute(("chmod +x %s/bin/mde"):format(directory))
  end)

  after_each(function() shell.remove(directory) end)

  -- The shell has to be here.
  local function write_script(name)
    assert.not_equal("", shell.output_of("command -v " .. name), name .. " is missing: tests/set-up tests")
    local told = console.run { "completion", name }
    assert.equal(0, told.status, told.err)
    assert.falsy(told.out:find "@%u+@")
    shell.write_file(directory .. "/" .. shells[name].file, told.out)
  end

  -- Types lines, which end with the key that completes, and then Enter. What mde was given each time.
  local function typed(name, lines)
    write_script(name)
    local texts = { DIRECTORY = directory, START = shells[name].start }
    shell.write_file(directory .. "/ready", (shells[name].ready:gsub("@(%u+)@", texts)))
    shell.write_file(directory .. "/play", (PLAY:gsub("@(%u+)@", texts)))
    local words = {}
    for i, line in ipairs(lines) do words[i] = quote(line) end
    local told = shell.output_of(("timeout 120 zsh -f %s/play %s 2>&1"):format(directory, table.concat(words, " ")))
    local got = {}
    for text in told:gmatch "got%[([^%]]*)%]" do got[#got + 1] = (text:gsub("%s+$", "")) end
    return got, told
  end

  for _, name in ipairs { "bash", "zsh", "fish" } do
    it("is done by Tab in " .. name, function()
      local lines, wanted = {}, {}
      for i, case in ipairs(completed) do lines[i], wanted[i] = case[1] .. "\t", case[2] end
      local got, told = typed(name, lines)
      assert.same(wanted, got, told)
    end)

    it("leaves in " .. name .. " what may be any text", function()
      local lines, wanted = {}, {}
      for i, line in ipairs(left) do lines[i], wanted[i] = line .. "\t", line:gsub("^mde ", "") end
      local got, told = typed(name, lines)
      assert.same(wanted, got, told)
    end)

    it(("knows in %s no profile of a file that cannot be used, and says nothing"):format(name), function()
      local lines, wanted = {}, {}
      for i, text in ipairs(unusable) do
        local place = ("%s/unusable-%d"):format(directory, i)
        os.execute(("mkdir -p %s/mde"):format(place))
        if text then shell.write_file(place .. "/mde/config", text) end
        lines[#lines + 1] = ("export XDG_CONFIG_HOME=%s; mde next"):format(place)
        lines[#lines + 1] = "mde machines --profile con\t"
        wanted[#wanted + 1] = "next"
        wanted[#wanted + 1] = "machines --profile con"
      end
      os.execute(("chmod 666 %s/unusable-1/mde/config"):format(directory))
      local got, told = typed(name, lines)
      assert.same(wanted, got, told)
      for _, word in ipairs { "line 2", "planted", "write it", "No such", "mde: ", "completion:" } do
        assert.is_nil(told:find(word, 1, true), told)
      end
    end)
  end

  it("is done in bash where the cursor stands", function()
    local back = ("\2"):rep(3)
    local got, told = typed("bash", { "mde machines riskScore=Hxyz" .. back .. "\t",
      "mde help rexyz" .. back .. "p\t" })
    assert.same({ "machines riskScore=Highxyz", "help reportxyz" }, got, told)
  end)

  it("offers in bash all that there is", function()
    local lines, wanted = {}, {}
    for i, case in ipairs(offered) do
      lines[i], wanted[i] = case[1] .. "\24\1", case[1]:gsub("^mde ", ""):gsub("[^ =]*$", "") .. case[2]
    end
    local got, told = typed("bash", lines)
    assert.same(wanted, got, told)
  end)

  it("offers in fish all that there is, with what each is for", function()
    write_script "fish"
    local function complete(line)
      return shell.output_of(("env HOME=%s XDG_CONFIG_HOME=%s/config PATH=%s/bin:$PATH fish --no-config -c %s")
        :format(directory, directory, directory, quote(("source %s/mde.fish; complete -C %s"):format(directory,
          quote(line)))))
    end
    for _, case in ipairs(offered) do
      local words = {}
      for word in complete(case[1]):gmatch "([^\n\t]+)[^\n]*\n" do words[#words + 1] = word:gsub("^riskScore=", "") end
      assert.equal(case[2], table.concat(words, " "))
    end
    assert.matches("restrict\tLet devices run only code signed by Microsoft\n", complete "mde restr", 1, true)
    assert.matches("--key\tFor one device: a key of your own, 8 to 64 of A-Za-z0-9._-, an alert's id say\n",
      complete "mde restrict --ke", 1, true)
  end)
end)
