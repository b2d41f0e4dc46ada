import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../src/format/template.ts';

const run = (source: string, data: unknown) => compileTemplate(source).execute(data);

describe('Go templates', () => {
  const data = {
    Name: 'web',
    N: 3,
    Empty: [],
    List: [{ A: 1 }, { A: 2 }],
    Map: { b: 1, a: 2 },
    'with-dash': 'd',
    Nil: null,
  };
  it.each([
    ['plain text', 'plain text'],
    ['{{.Name}}-{{ .N }}', 'web-3'],
    ['{{json .List}}', '[{"A":1},{"A":2}]'],
    ['{{json .}}', JSON.stringify(data)],
    ['{{range .List}}{{.A}},{{end}}', '1,2,'],
    ['{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}', 'a=2;b=1;'],
    ['{{range .Empty}}x{{else}}none{{end}}', 'none'],
    ['{{if .Empty}}a{{else if eq .N 3}}b{{else}}c{{end}}', 'b'],
    ['{{with .Nil}}x{{else}}nil{{end}}', 'nil'],
    ['{{index .Map "a"}} {{index .List 1}} {{(index .List 0).A}}', '2 map[A:2] 1'],
    ['{{.Name | upper | printf "%-5s|%03d" }}', 'WEB  |%!d(MISSING)'],
    ['{{printf "%q %v %5.1f" .Name .N 2.25}}', '"web" 3   2.3'],
    ['{{len .List}} {{len .Name}}', '2 3'],
    ['{{join (split "a:b:c" ":") "+"}}', 'a+b+c'],
    ['{{truncate "abcdef" 3}} {{title "abc"}} {{lower "ABC"}}', 'abc Abc abc'],
    ['{{println .Name 1}}', 'web 1\n'],
    ['{{- /* comment */ -}}{{.N}}  {{- " "}}x', '3 x'],
    ['{{$x := .Name}}{{$x}}{{$.N}}', 'web3'],
    ['{{index . "with-dash"}}', 'd'],
    ['{{if and .Name (not .Empty)}}yes{{end}}', 'yes'],
    ['{{.Nil}} {{.Map}} {{.List}}', '<no value> map[a:2 b:1] [map[A:1] map[A:2]]'],
    ['{{`raw {{`}}{{"\\t"}}', 'raw {{\t'],
  ])('%s', (source, text) => expect(run(source, data)).toBe(text));

  it.each([
    ['{{.Name', 'unclosed action'],
    ['{{range .List}}', 'unexpected EOF'],
    ['{{end}}', 'unexpected {{end}}'],
    ['{{nope .}}', 'function "nope" not defined'],
    ['{{.Missing}}', 'template: :1:2: executing "" at <.Missing>: map has no entry for key "Missing"'],
    ['a\n {{.Map.c}}', 'template: :2:7: executing "" at <.Map.c>: map has no entry for key "c"'],
    ['{{if}}{{end}}', 'template: :1: missing value for if'],
    ['{{index (index .Map "a") 1}}', 'at <index (index .Map "a") 1>: error calling index'],
    ['{{.Name.Deep}}', "can't evaluate field Deep in type string"],
    ['{{index .List 9}}', 'out of range'],
    ['{{"abc}}', 'unterminated quoted string'],
  ])('%s fails and says why', (source, why) => expect(() => run(source, data)).toThrow(why));
});
