-- The tokens of a query, above all its strings.
-- Labels: not-lua5.3
local lexer = require "mde.sim.kql.lexer"
local refusal = require "mde.sim.kql.refusal"

local function read(text)
  local ok, tokens = refusal.catch(function() return lexer.read(text) end)
  if not ok then return nil, tokens end
  local list = {}
  for i, token in ipairs(tokens) do
    list[i] = token.kind == "name" and token.name or token.kind == "string" and "<" .. token.value .. ">"
      or token.kind == "literal" and token.type .. ":" .. tostring(token.value) or token.kind
  end
  return table.concat(list, " ", 1, #list - 1)
end

describe("sim.kql.lexer", function()
  for _, case in ipairs {
    { "T|where A==B", "T | where A == B" },
    { "project-away _a1", "project - away _a1" },
    { "a !in~ b in~ c !has d !~ e", "a !in~ b in~ c !has d !~ e" },
    { "$left.A <> 1..2", "$left . A <> long:1 .. long:2" },
    { "true false truex", "bool:true bool:false truex" },
    { " \t\r\n\f\194\160a\226\128\139b\239\187\191 \226\128\168c ", "a b c" },
    { "a // b\nc // d\226\128\168e // f", "a c e" },
    { "// x", "" },
    { "7d 30m 2h 10s 5min", "timespan:604800 timespan:1800 timespan:7200 timespan:10 timespan:300" },
    { "guid(74BE27DE-1e4e-49d9-b579-fe0b013d3642)", "guid:74be27de-1e4e-49d9-b579-fe0b013d3642" },
    { "bool(true) datetime(null)", "bool:true datetime:nil" },
    { "datetime (x)", "datetime ( x )" },
    -- strings
    { [["a'b" 'c"d']], [[<a'bc"d>]] },
    { [["\\" , '\'' , "\"" , "\t"]], "<\\> , <'> , <\"> , <\t>" },
    { [["\a\b\f\n\r\v"]], "<\a\b\f\n\r\v>" },
    { [["\u0041\u20ac\U0001F4bb\xe9\101"]], "<A\226\130\172\240\159\146\187\195\169A>" },
    { [["\ud83d\udcbb"]], "<\240\159\146\187>" },
    { [["\u2028\u0000"]], "<\226\128\168\0>" },
    { [["|; // x" + 1]], "<|; // x> + long:1" },
    { [[@"a\" + @'b''c']], [[<a\> + <b'c>]] },
    { [[h"a" , h@'b\' , H'c']], [[<a> , <b\> , <c>]] },
    { "```a\n'\"\\ ``` , ~~~b\r~~~", "<a\n'\"\\ > , <b\r>" },
    { "'a' // why\n 'b'\n\"c\"", "<abc>" },
    { "['a b']", "[ <a b> ]" },
  } do
    it("reads " .. case[1]:gsub("[%z\1-\31]", "?"), function() assert.are.equal(case[2], (read(case[1]))) end)
  end

  for _, case in ipairs {
    { "a == 'b", "'b' on line [1,6]" },
    { "'a\nb'", "''a' on line [1,1]" },
    { "'a\226\128\168b'", "''a' on line [1,1]" },
    { '"a\\', "on line [1,3]" },
    { [["\q"]], [['\q' on line [1,2] ]] },
    { [["\u12"]], [['\u' on line [1,2] ]] },
    { [["\ud83d"]], [['\u' on line [1,2] ]] },
    { [[@"a\]], "on line [1,1]" },
    { "```a``", "'```' on line [1,1]" },
    { "a\n #", "'#' on line [2,2]" },
    { "a == \195\164", "'\195\164' on line [1,6]" },
    { "datetime(yesterday)", "'datetime(yesterday)' on line [1,1]" },
    { "12ab", "'1' on line [1,1]" },
  } do
    it("refuses " .. case[1]:gsub("[%z\1-\31]", "?"), function()
      local text, message = read(case[1])
      assert.is_nil(text)
      assert.is_truthy(message:find("^Syntax error: Query could not be parsed at "), message)
      assert.is_truthy(message:find((case[2]:gsub(" $", "")), 1, true), message)
    end)
  end
end)
