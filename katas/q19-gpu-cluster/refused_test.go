package cluster_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"whyhow/katas/kit/check"
	cluster "whyhow/katas/q19-gpu-cluster"
)

// What the parsers must refuse is made from their grammars: every place of a right text is filled with what does not belong there. What a learner's
// parser takes of it is compared at once with what each plausible slip takes, so that a slip is named only where it explains all.

// wrong is a text that is none of a language.
type wrong struct {
	text  string
	quote string // the error contains it, apart from the text as a whole
	why   string
	slip  string // the piece in which it is wrong: what a slip is asked about
}

// slip is a plausible mistake of a parser: which wrong texts it takes, and what it is.
type slip struct {
	takes func(w wrong) bool
	says  string
}

// refuses holds that parse gives an error for each wrong text, and that it quotes what it must.
func refuses(t *testing.T, function string, wrongs []wrong, parse func(text string) error, slips ...slip) {
	t.Helper()
	var unquoted []string
	tried := map[string]bool{}
	taken := takes(t, function, wrongs, func(w wrong) bool {
		err := parse(w.text)
		if err == nil {
			return true
		}
		apart := err.Error()
		if w.text != "" {
			apart = strings.ReplaceAll(apart, w.text, "…")
		}
		call := fmt.Sprintf("%s(%q)", function, w.text)
		if !tried[w.why] { // one of a kind speaks for all
			tried[w.why] = true
			check.Fails(t, call, errors.New(apart), w.quote)
		} else if !strings.Contains(apart, w.quote) && !strings.ContainsFunc(w.quote, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) {
			unquoted = append(unquoted, fmt.Sprintf("%s: %s", call, apart))
		}
		return false
	}, slips)
	if len(taken) == 0 {
		check.Equal(t, "errors of "+function+" that do not quote what is wrong", unquoted, []string(nil), check.Exact)
	}
}

// takes returns which of the wrong texts are taken for right, and holds that none is.
func takes(t *testing.T, function string, wrongs []wrong, taken func(w wrong) bool, slips []slip) []string {
	t.Helper()
	which := func(taken func(w wrong) bool) (texts []string) {
		for _, w := range wrongs {
			if taken(w) {
				texts = append(texts, w.text)
			}
		}
		return texts
	}
	why := ""
	got := which(func(w wrong) bool {
		ended := false
		defer func() {
			if !ended {
				t.Logf("it was %s(%q) that panicked: no text may do that", function, w.text)
			}
		}()
		if taken(w) {
			if why == "" {
				why = fmt.Sprintf("%q: %s", w.text, w.why)
			}
			ended = true
			return true
		}
		ended = true
		return false
	})
	const nothing = "nothing"
	show := func(texts []string) string {
		if len(texts) == 0 {
			return nothing
		}
		return fmt.Sprintf("%d: %q", len(texts), texts)
	}
	var mistakes []mistake[string]
	for _, s := range slips {
		mistakes = append(mistakes, mistake[string]{show(which(s.takes)), s.says})
	}
	check.Equal(t, fmt.Sprintf("what %s takes of %d wrong texts", function, len(wrongs)), show(got), nothing, check.Exact,
		append(named(nothing, mistakes...), check.Why(why))...)
	return got
}

// notNumbers are texts near the number 11, none of which is decimal digits alone.
func notNumbers() []string {
	texts := []string{"", "x", "１１", "1_1", "1 1", "1.1", "99999999999999999999"}
	for _, before := range []string{"+", "-", "0x", "0o", "0b", "_", " ", "$"} {
		texts = append(texts, before+"11")
	}
	for _, behind := range []string{".0", "e0", "_", " ", "x", ";"} {
		texts = append(texts, "11"+behind)
	}
	return texts
}

// withoutSpaces leaves out the texts in which spaces stand: where what is done with them is the learner's.
func withoutSpaces(texts []string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return strings.Contains(s, " ") })
}

// readers are plausible readers of numbers that take more than decimal digits: whether they take a text, and its number.
var readers = []struct {
	read func(s string) (int, bool)
	says string
}{
	{func(s string) (int, bool) { n, err := strconv.Atoi(s); return n, err == nil }, "you accepted a sign: a number is digits alone, and −1 means that there is none"},
	{func(s string) (int, bool) {
		n, err := strconv.Atoi(s)
		return n, err == nil && n >= 0
	}, "you accepted a plus sign: a number is digits alone"},
	{func(s string) (int, bool) { n, err := strconv.ParseUint(s, 0, 31); return int(n), err == nil }, anyBase},
	{func(s string) (int, bool) { n, err := strconv.ParseInt(s, 0, 32); return int(n), err == nil }, anyBase},
	{func(s string) (n int, ok bool) { k, _ := fmt.Sscan(s, &n); return n, k == 1 }, "you read with Sscan: it stops where the number does, and takes signs and other bases"},
	{func(s string) (n int, ok bool) { k, _ := fmt.Sscanf(s, "%d", &n); return n, k == 1 }, "you read with Sscanf: it stops where the number does, and takes signs"},
	{func(s string) (int, bool) {
		n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 31)
		return int(n), err == nil
	}, "you cut spaces off: they are no digits"},
	{func(s string) (int, bool) { n, err := strconv.Atoi(strings.TrimSpace(s)); return n, err == nil }, "you cut spaces off, and accepted a sign"},
	{func(s string) (int, bool) { n, err := strconv.ParseFloat(s, 64); return int(min(n, 1e9)), err == nil }, "you read a float: a number has no point and no exponent"},
	{func(s string) (int, bool) {
		n, _ := strconv.Atoi(s)
		return n, true
	}, "you ignored that the number does not parse"},
	{func(s string) (int, bool) {
		digits := s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
		n, err := strconv.Atoi(digits)
		return n, err == nil
	}, "you read the digits at the beginning and not what follows them"},
	{func(s string) (int, bool) {
		return 11, s == ""
	}, "you took no digits for a number"},
	{func(s string) (int, bool) {
		return 11, strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) }) < 0 && len(s) < 19
	}, "you took any digits, or none, for a number: digits are 0 to 9"},
	{func(s string) (int, bool) { return 11, s == "99999999999999999999" }, "you let a number wrap around: one that does not fit is an error"},
}

const anyBase = "you let the text choose the base: 0x11, 0b11, 1_1 are no decimal digits, and 010 is 10"

// ofNumbers returns the slips of reading numbers, where values below least are refused.
func ofNumbers(least int) []slip {
	var all []slip
	for _, r := range readers {
		all = append(all, slip{func(w wrong) bool { n, ok := r.read(w.slip); return ok && n >= least }, r.says})
	}
	return all
}

// refusesDevices is about the grammar of device strings:
//
//	string = piece { "/" piece }
//	piece  = "" | "job:" NAME | "replica:" N | "task:" N | "device:" KIND ":" INDEX | KIND [ ":" INDEX ]
//	INDEX  = N | "*"
func refusesDevices(t *testing.T) {
	t.Helper()
	parse := func(text string) error {
		_, err := cluster.ParseDevice(text)
		return err
	}
	var numbers []wrong
	for _, before := range []string{"replica:", "task:", "device:GPU:", "TPU:"} {
		for _, n := range notNumbers() {
			numbers = append(numbers, wrong{"/job:a/" + before + n, before + n, "the number of " + before + "N is decimal digits", n})
		}
	}
	refuses(t, "ParseDevice", numbers, parse, ofNumbers(-1<<62)...)

	var pieces []wrong
	add := func(why string, texts ...string) {
		for _, piece := range texts {
			pieces = append(pieces, wrong{"job:a/" + piece + "/replica:3", piece, why, piece})
		}
	}
	add("there is no such piece", "jobs:5", "tas:5", "index:5", "GPX:5", "GPUS:5", "XGPU:5", "GP", "XPU", "XLA_GPU", "FPGA:*", "5", "worker", ":5", "*")
	add("there is no such piece: only a kind is read in any case of letters", "Task:5", "TASK:5", "Device:GPU:5")
	add("a space is part of no piece", " task:5", "GPU :5", " GPU", " ")
	add("there is no such kind", "device:GPX:5", "device:GPUS:5", "device::5", "device:5:GPU", "device:task:5")
	add("the piece has a value", "task", "device", "device:GPU", "device:*", "device:5")
	add("the piece has too many parts", "task:5:6", "GPU:5:6", "GPU:*:6", "device:GPU:5:6", "device:GPU:*:6", "device:device:GPU:5", "dev:GPU:5")
	add("only a device leaves its number open", "task:*")
	pieces = append(pieces,
		wrong{"task:1/job:", "job:", "the name is empty", "job:"},
		wrong{"task:1/job", "job", "the piece has a value", "job"},
		wrong{"task:1/replica:*", "replica:*", "only a device leaves its number open", "replica:*"},
		wrong{"task:1/replica:5:6", "replica:5:6", "the piece has too many parts", "replica:5:6"},
		wrong{"task:1/job:a:b", "job:a:b", "the piece has too many parts", "job:a:b"})
	shape := func(w wrong) (name string, parts []string) {
		parts = strings.Split(w.slip, ":")
		return parts[0], parts[1:]
	}
	kind := func(s string) bool { return slices.Contains([]string{"CPU", "GPU", "TPU"}, strings.ToUpper(s)) }
	index := func(s string) bool { _, err := strconv.ParseUint(s, 10, 31); return err == nil || s == "*" }
	refuses(t, "ParseDevice", pieces, parse,
		slip{func(w wrong) bool { return w.slip != "task:*" && w.slip != "replica:*" }, "you skipped a piece that you do not know: a misspelt device would land anywhere"},
		slip{func(w wrong) bool {
			name, _ := shape(w)
			return !slices.Contains([]string{"job", "replica", "task", "device"}, name) && !kind(name)
		}, "you skipped a piece with a name that you do not know: a misspelt device would land anywhere"},
		slip{func(w wrong) bool {
			name, rest := shape(w)
			return name == "device" && len(rest) == 2 && index(rest[1])
		}, "you took any kind in the long form: only CPU, GPU and TPU are kinds"},
		slip{func(w wrong) bool {
			name, rest := shape(w)
			return name == "Task" || name == "TASK" || name == "Device" && kind(rest[0])
		}, "you read names of pieces in any case of letters: only a kind may be"},
		slip{func(w wrong) bool { return w.slip == "job:" }, "you accepted a job without a name: \"\" is what the string leaves open"},
		slip{func(w wrong) bool { return w.slip == "task:*" || w.slip == "replica:*" }, "you took * for a replica or a task: it leaves a device's index open, and nothing else"},
		slip{func(w wrong) bool {
			name, rest := shape(w)
			return name == "GPU" && len(rest) == 2
		}, "you ignored what follows the index of a short form"},
		slip{func(w wrong) bool {
			return w.why == "the piece has too many parts" && !strings.HasPrefix(w.slip, "dev:") && w.slip != "device:device:GPU:5"
		}, "you ignored what follows the last part of a piece"},
		slip{func(w wrong) bool { return w.slip == "job:a:b" }, "you took a job's name with a colon in it"},
		slip{func(w wrong) bool { return w.slip == "device:GPU" }, "you let the long form go without an index: it has a number, or *"},
	)

	var twice []wrong
	all := []string{"job:b", "replica:5", "task:5", "device:CPU:5", "GPU:5", "TPU"}
	for i, a := range all {
		for j, b := range all {
			if i != j && min(i, j) < 3 {
				continue // two different pieces
			}
			for _, between := range []string{"", "/job:a", "/task:1"} {
				if strings.HasPrefix(a, "job") && between == "/job:a" || strings.HasPrefix(a, "task") && between == "/task:1" {
					continue
				}
				b := strings.Replace(b, "5", "6", 1)
				quote := b
				if a == b {
					quote = a
				}
				twice = append(twice, wrong{a + between + "/" + b, quote, "a piece is given twice", a + "/" + b})
			}
		}
	}
	for _, pair := range []string{
		"replica:0/replica:6", "task:0/task:6", "task:6/task:0", "CPU:0/GPU:6", "GPU:*/GPU:6", "TPU/CPU:0", "device:GPU:*/device:GPU:6",
		"replica:5/replica:5", "task:0/task:0", "device:CPU:5/device:CPU:5", "GPU:5/GPU:5",
	} {
		_, b, _ := strings.Cut(pair, "/")
		twice = append(twice, wrong{"job:a/" + pair, b, "a piece is given twice", pair})
	}
	short := func(piece string) bool { return len(piece) >= 3 && kind(piece[:3]) }
	is := func(w wrong, same func(a, b string) bool) bool {
		a, b, _ := strings.Cut(w.slip, "/")
		return same(a, b)
	}
	refuses(t, "ParseDevice", twice, parse,
		slip{func(wrong) bool { return true }, "you let one of two pieces win: none comes twice"},
		slip{func(w wrong) bool {
			return is(w, func(a, b string) bool { return short(a) != short(b) })
		}, "you counted a short and a long form of a device as two pieces: one device at most"},
		slip{func(w wrong) bool {
			return is(w, func(a, b string) bool {
				return strings.Split(a, ":")[0] != strings.Split(b, ":")[0]
			})
		}, "you compared the names of pieces only: two devices are one too many, however they are written"},
		slip{func(w wrong) bool {
			return is(w, func(a, b string) bool { return a != b })
		}, "you took two pieces of a sort that differ: none comes twice"},
		slip{func(w wrong) bool {
			return is(w, func(a, b string) bool { return a == b })
		}, "you took a piece twice where it says the same: none comes twice"},
		slip{func(w wrong) bool { return is(w, func(a, b string) bool { return strings.HasPrefix(a, "job") }) }, "you let a second job win: no piece comes twice"},
		slip{func(w wrong) bool {
			return is(w, func(a, b string) bool { return short(a) || strings.HasPrefix(a, "device") })
		}, "you let one of two devices win: one device at most"},
	)
}

// endsVisible is about what ends the list of CUDA_VISIBLE_DEVICES: any text that is not a number.
func endsVisible(t *testing.T) {
	t.Helper()
	const present = 64
	var wrongs []wrong
	for _, n := range withoutSpaces(notNumbers()) {
		wrongs = append(wrongs, wrong{"5," + n + ",7", "", "an index is decimal digits: what is none ends the list", n})
	}
	var slips []slip
	for _, least := range []int{0, -present} { // whether an index below 0 is found to be none of the machine's
		for i, s := range ofNumbers(least) {
			slips = append(slips, slip{func(w wrong) bool {
				n, ok := readers[i].read(w.slip)
				return ok && n < present && s.takes(w)
			}, s.says})
		}
	}
	takes(t, "VisibleDevices", wrongs, func(w wrong) bool {
		return !slices.Equal(cluster.VisibleDevices(w.text, true, present), []int{5})
	}, slips)
}

// refusesSMI is about the grammar of nvidia-smi's output: a header that is given word for word, and rows of five columns.
//
//	row   = N ", " NAME ", " MIB ", " MIB ", " SHARE
//	MIB   = N " MiB" | UNKNOWN
//	SHARE = N " %"   | UNKNOWN
func refusesSMI(t *testing.T) {
	t.Helper()
	parse := func(text string) error {
		_, err := cluster.ParseSMI(strings.NewReader(text))
		return err
	}
	const good = "0, NVIDIA L4, 23034 MiB, 412 MiB, 3 %\n"
	columns := strings.Split(strings.TrimSpace(header), ", ")
	row := strings.Split(strings.TrimSpace(good), ", ")
	units := []string{"MiB", "MiB", "%"} // of the last three columns
	replaced := func(row []string, i int, cell string) []string {
		row = slices.Clone(row)
		row[i] = cell
		return row
	}

	heads := []wrong{{"", "line 1", "there is no header", "no output"}, {"\n", "line 1", "there is no header", "\n"}}
	add := func(why string, row []string) {
		line := strings.Join(row, ", ") + "\n"
		heads = append(heads, wrong{line + good, "line 1", why, line})
	}
	add("there is no header", row)
	add("that is not the header", []string{"No devices were found"})
	for i, name := range columns {
		bare, _, _ := strings.Cut(name, " [")
		for _, other := range []string{strings.ToUpper(name), bare, name + "x", "x" + name, "", "name2", strings.ReplaceAll(name, " ", "")} {
			if other != name {
				add("a column of the header is another", replaced(columns, i, other))
			}
		}
		add("a column of the header is missing", slices.Delete(slices.Clone(columns), i, i+1))
		for j := range i {
			swapped := slices.Clone(columns)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			add("two columns of the header are exchanged", swapped)
		}
	}
	add("the header has a column too many", append(slices.Clone(columns), "uuid"))
	first := func(n int) slip {
		return slip{func(w wrong) bool {
			got := strings.Split(strings.TrimSuffix(w.slip, "\n"), ", ")
			return len(got) == len(columns) && slices.Equal(got[:n], columns[:n])
		}, "you compared a part of the header only"}
	}
	refuses(t, "ParseSMI", heads, parse,
		slip{func(wrong) bool { return true }, "you skipped the first line without reading it"},
		slip{func(w wrong) bool { return w.slip != "no output" }, "you skipped the first line without reading it"},
		slip{func(w wrong) bool {
			return w.slip != "no output" && strings.Count(w.slip, ",") == len(columns)-1
		}, "you counted the columns of the header and did not read them"},
		slip{func(w wrong) bool { return w.slip == "no output" }, "you took no output for no GPU: a header is missing"},
		first(1), first(2), first(3), first(4),
		slip{func(w wrong) bool { return strings.EqualFold(w.slip, header) }, "you read the header in any case of letters"},
		slip{func(w wrong) bool { return strings.HasPrefix(w.slip, strings.TrimSpace(header)) }, "you compared the beginning of the header only"},
		slip{func(w wrong) bool {
			got := strings.Split(strings.TrimSuffix(w.slip, "\n"), ", ")
			slices.Sort(got)
			want := slices.Clone(columns)
			slices.Sort(want)
			return slices.Equal(got, want)
		}, "you took the columns of the header in any order, and read the rows in theirs"})

	var lengths []wrong
	for n := 1; n < len(row); n++ {
		lengths = append(lengths, wrong{header + good + strings.Join(row[:n], ", ") + "\n", "line 3", "a row has five columns", fmt.Sprint(n)})
	}
	lengths = append(lengths, wrong{header + good + strings.TrimSpace(good) + ", 4\n", "line 3", "a row has five columns", "6"},
		wrong{header + good + good + strings.TrimSpace(good) + ", " + good, "line 4", "a row has five columns", "10"})
	longer := func(w wrong) bool { n, _ := strconv.Atoi(w.slip); return n > len(row) }
	refuses(t, "ParseSMI", lengths, parse,
		slip{func(wrong) bool { return true }, "you skipped a row of another length"},
		slip{func(w wrong) bool { return !longer(w) }, "you skipped a row that is too short"},
		slip{longer, "you ignored what stands behind the fifth column"},
		slip{func(w wrong) bool { return w.slip == "6" }, "you ignored what stands behind the fifth column"},
		slip{func(w wrong) bool { return w.slip == "4" || longer(w) }, "you did not look whether a row has the last column"})

	addCell := func(to *[]wrong, i int, cell, what, why string) {
		*to = append(*to, wrong{header + good + good + strings.Join(replaced(row, i, cell), ", ") + "\n", "line 4", why, what})
	}
	var indices, quantities []wrong
	for _, n := range withoutSpaces(notNumbers()) {
		addCell(&indices, 0, n, n, "an index is decimal digits")
		for i, unit := range units {
			addCell(&quantities, 2+i, n+" "+unit, n, "the number of "+columns[2+i]+" is decimal digits")
		}
	}
	refuses(t, "ParseSMI", indices, parse, ofNumbers(-1<<62)...)
	refuses(t, "ParseSMI", quantities, parse, ofNumbers(-1<<62)...)

	var cells []wrong
	for _, unknown := range []string{"[N/A]", "[Not Supported]", "N/A"} {
		addCell(&cells, 0, unknown, "index", "a GPU has an index")
	}
	for i, unit := range units {
		why := "the unit of " + columns[2+i] + " is " + unit
		what := func(cell string) string { return unit + ": " + cell }
		for _, other := range []string{"GiB", "MB", "KiB", "mib", "MIB", "MiB", "%", "%%", "W", "MiBs", unit + " x"} {
			if other != unit {
				addCell(&cells, 2+i, "12 "+other, what("12 "+other), why)
			}
		}
		for _, cell := range []string{"12", "12" + unit, "12  " + unit, "12.", unit + " 12"} {
			addCell(&cells, 2+i, cell, what(cell), why+", after one space")
		}
		for _, cell := range []string{"", "-", "N/A", "[n/a]", "[Unknown Error]", "[]", "[N/A", "[N/A] " + unit, "[Not Supported]x"} {
			addCell(&cells, 2+i, cell, what(cell), "only [N/A] and [Not Supported] are not reported")
		}
	}
	digits := func(s string) bool { _, err := strconv.ParseUint(s, 10, 31); return err == nil }
	reads := func(f func(unit, cell string) bool) func(w wrong) bool {
		return func(w wrong) bool {
			unit, cell, ok := strings.Cut(w.slip, ": ")
			return ok && f(unit, cell)
		}
	}
	refuses(t, "ParseSMI", cells, parse,
		slip{reads(func(_, cell string) bool {
			n, _, ok := strings.Cut(cell, " ")
			return ok && digits(n)
		}), "you cut the unit off without reading it"},
		slip{reads(func(_, cell string) bool {
			f := strings.Fields(cell)
			return len(f) > 0 && digits(f[0])
		}), "you read the number and not its unit"},
		slip{reads(func(unit, cell string) bool { return digits(strings.TrimSuffix(cell, " "+unit)) }), "you accepted a number without its unit"},
		slip{reads(func(unit, cell string) bool { return digits(strings.TrimSpace(strings.TrimSuffix(cell, unit))) }), "you accepted a number without its unit, or any space between the two"},
		slip{reads(func(unit, cell string) bool {
			n, ok := strings.CutSuffix(cell, unit)
			return ok && digits(strings.TrimSpace(n))
		}), "you took any space, or none, between a number and its unit"},
		slip{reads(func(unit, cell string) bool {
			f := strings.Fields(cell)
			return len(f) == 2 && digits(f[0]) && f[1] == unit
		}), "you took more than one space between a number and its unit"},
		slip{reads(func(unit, cell string) bool {
			n, u, _ := strings.Cut(cell, " ")
			return digits(n) && slices.Contains(units, u)
		}), "you took the unit of another column"},
		slip{reads(func(unit, cell string) bool {
			n, u, _ := strings.Cut(cell, " ")
			return digits(n) && strings.EqualFold(u, unit)
		}), "you read units in any case of letters"},
		slip{reads(func(unit, cell string) bool {
			n, u, _ := strings.Cut(cell, " ")
			return digits(n) && strings.HasPrefix(u, unit)
		}), "you ignored what follows the unit"},
		slip{reads(func(_, cell string) bool { return strings.HasPrefix(cell, "[") }), "you took anything in brackets for not reported"},
		slip{reads(func(_, cell string) bool { return cell == "" }), "you took an empty cell for not reported"},
		slip{reads(func(_, cell string) bool { return strings.Contains(cell, "N/A") }), "you looked for N/A anywhere in a cell"},
		slip{func(w wrong) bool { return w.slip == "index" }, "you accepted a GPU without an index"})
}

// refusesHosts is about the grammar of host lists:
//
//	list = name { "," name }
//	name = TEXT | TEXT "[" part { "," part } "]" TEXT
//	part = N | N "-" N
func refusesHosts(t *testing.T) {
	t.Helper()
	parse := func(text string) error {
		_, err := expand(text)
		return err
	}
	var numbers []wrong
	for _, n := range notNumbers() {
		for _, around := range [][2]string{{"n[", "]"}, {"n[7,", "]"}, {"n[", "-12]"}, {"n[0-", "]"}, {"n[3,0-", ",4]x"}} {
			if strings.HasPrefix(n, "-") || len(n) > 10 {
				continue // that is a dash, and not a sign; the learner may take numbers of any length
			}
			name := around[0] + n + around[1]
			numbers = append(numbers, wrong{"ok," + name, strings.Trim(name[strings.IndexAny(name, "[")+1:strings.Index(name, "]")], "734,"), "a range is of decimal digits", n})
		}
	}
	readable := ofNumbers(0)
	for i, s := range readable {
		readable[i].takes = func(w wrong) bool {
			n, _ := readers[i].read(w.slip)
			return s.takes(w) && (n <= 12 || !strings.HasSuffix(w.text, "-12]")) // a range that runs backwards is refused
		}
	}
	refuses(t, "ExpandHosts", numbers, parse, readable...)

	var names []wrong
	add := func(why string, texts ...string) {
		for _, name := range texts {
			names = append(names, wrong{"ok," + name, name, why, name})
		}
	}
	for _, c := range []string{" ", "/", ":", "*", "@", "+", "ä", "!", "\n", "\x00"} {
		add("a name has ASCII letters, digits, dots, dashes and underscores", "a"+c+"b", c+"a", "a"+c, "a"+c+"[1]", "a[1]"+c)
	}
	add("the bracket is not closed", "n[", "n[1", "n[1-3", "n[1,2", "[1")
	add("no bracket is open", "n]", "n1-3]", "]", "n]1[", "n]1[2]")
	for _, c := range []struct {
		why   string
		names []string
	}{ // name or range: what is quoted here is the learner's
		{"a name has one bracket at most", []string{"n[1-2]m[3-4]", "n[1][2]", "n[1]m[2"}},
		{"brackets do not nest", []string{"n[[1]]", "n[1[2]]", "n[1]]"}},
		{"the bracket is empty", []string{"n[]", "[]", "n[]x"}},
	} {
		for _, name := range c.names {
			names = append(names, wrong{"ok," + name, "", c.why, name})
		}
	}
	for _, part := range []string{"3-1", "10-09", "1-0", "65536-0"} {
		names = append(names, wrong{"ok,n[" + part + "]", part, "the range runs backwards", "n[" + part + "]"})
	}
	for _, part := range []string{"1-2-3", "1--2", "-1", "1-", "-", "-1-2", "1-2-"} {
		names = append(names, wrong{"ok,n[" + part + "]", part, "a range is two numbers and a dash", "n[" + part + "]"})
	}
	for _, parts := range []string{",", "1,", ",1", "1,,2"} {
		names = append(names, wrong{"ok,n[" + parts + "]", "", "a number of the bracket is missing", "n[" + parts + "]"})
	}
	for _, list := range []string{"", ",", "a,", ",a", "a,,b", "n[1],", ",n[1]", "n[1],,a"} {
		names = append(names, wrong{list, "", "a name is empty", list})
	}
	kind := func(why ...string) func(w wrong) bool {
		return func(w wrong) bool { return slices.Contains(why, w.why) }
	}
	const empty = "a name is empty"
	refuses(t, "ExpandHosts", names, parse,
		slip{kind(empty), "you skipped an empty name"},
		slip{func(w wrong) bool { return w.why == empty && w.text != "" && w.text != "," }, "you skipped an empty name"},
		slip{func(w wrong) bool { return w.text == "" }, "you took an empty list for no hosts: its one name is empty"},
		slip{func(w wrong) bool { return w.why == empty && strings.HasSuffix(w.text, ",") && w.text != "," }, "you let a comma end the list: an empty name follows it"},
		slip{kind("a name has ASCII letters, digits, dots, dashes and underscores"), "you accepted any character in a name"},
		slip{func(w wrong) bool { return strings.HasPrefix(w.slip, "a[1]") }, "you did not look at what stands behind the bracket"},
		slip{func(w wrong) bool {
			_, rest, _ := strings.Cut(w.slip, "[")
			bracket, suffix, _ := strings.Cut(rest, "]")
			return suffix != "" && bracket != "" && !strings.Contains(bracket, "[") && w.why != empty
		}, "you did not look at what stands behind the bracket"},
		slip{func(w wrong) bool {
			return kind("a name has ASCII letters, digits, dots, dashes and underscores")(w) && !strings.Contains(w.slip, "[")
		}, "you looked at the characters of names with a bracket only"},
		slip{func(w wrong) bool { return strings.Contains(w.slip, "ä") }, "you accepted letters that are not ASCII"},
		slip{kind("the range runs backwards"), "you expanded a range that runs backwards to nothing"},
		slip{kind("the bracket is empty"), "you expanded an empty bracket to nothing"},
		slip{kind("the bracket is empty", "a number of the bracket is missing"), "you skipped an empty part of a bracket"},
		slip{func(w wrong) bool { return w.slip == "n[1-2-3]" || w.slip == "n[1-2-]" }, "you ignored what follows the second number of a range"},
		slip{func(w wrong) bool { return w.slip == "n[1-2]m[3-4]" || w.slip == "n[1][2]" }, "you let a second bracket be"},
	)
}
