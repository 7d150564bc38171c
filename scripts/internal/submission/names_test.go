package submission_test

import (
	"strings"
	"testing"
	"time"

	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/submission"
)

// local sets the zone in which a time without one is meant.
func local(t *testing.T, name string, hours int) {
	was := time.Local
	time.Local = time.FixedZone(name, hours*3600)
	t.Cleanup(func() { time.Local = was })
}

func TestSystems(t *testing.T) {
	local(t, "CET", 1)
	for _, c := range []struct {
		name  string
		files tree
		want  string
	}{
		{
			"Moodle", tree{
				"Ann Lee_123456_assignsubmission_file_/batchnorm.go": "a", "Ann Lee_123456_assignsubmission_onlinetext_/onlinetext.html": "no",
				"Bob_Ek_123457_assignsubmission_file_/hw.zip": zipOf(t, tree{q01: "b"}),
				"Kim Ek_1_assignsubmission_file_/" + q01:      "c", "Kim Ek_2_assignsubmission_file_/" + q01: "d",
				"Participant 7_9_assignsubmission_file_/x/": "", "Zoe\u0308 Ek_3_assignsubmission_file_/" + q01: "e",
			}, `
			Ann Lee|Ann Lee|c/Ann Lee_123456_assignsubmission_file_, c/Ann Lee_123456_assignsubmission_onlinetext_
			  q05 = Ann Lee_123456_assignsubmission_file_: batchnorm.go: a
			Bob_Ek|Bob_Ek|c/Bob_Ek_123457_assignsubmission_file_|11-02 10:00 file
			  q01 = hw.zip: katas/q01-cross-entropy/crossentropy.go: b
			Kim Ek (1)|Kim Ek|c/Kim Ek_1_assignsubmission_file_
			  q01 = katas/q01-cross-entropy/crossentropy.go: c
			Kim Ek (2)|Kim Ek|c/Kim Ek_2_assignsubmission_file_
			  q01 = katas/q01-cross-entropy/crossentropy.go: d
			Participant 7|Participant 7|c/Participant 7_9_assignsubmission_file_
			  all ! it has none of the declared files: a kata's file is at katas/q01-cross-entropy/crossentropy.go, or is crossentropy.go alone
			` + "Zo\u00eb Ek|Zo\u00eb Ek|c/Zoe\u0308 Ek_3_assignsubmission_file_" + `
			  q01 = katas/q01-cross-entropy/crossentropy.go: e`,
		},
		{"Moodle without folders", tree{"Ann Lee_12_assignsubmission_file_batchnorm.go": "a", "Ann Lee_12_assignsubmission_file_crossentropy.go": "b"}, `
			Ann Lee|Ann Lee|c/Ann Lee_12_assignsubmission_file_batchnorm.go, c/Ann Lee_12_assignsubmission_file_crossentropy.go
			  q01 = Ann Lee_12_assignsubmission_file_crossentropy.go: crossentropy.go: b
			  q05 = Ann Lee_12_assignsubmission_file_batchnorm.go: batchnorm.go: a`},
		{
			"Canvas", tree{
				"leeann_12345_67890_hw1.zip":     zipOf(t, tree{q01: "a"}),
				"ekbob_LATE_12346_67891_hw1.zip": zipOf(t, tree{q01: "b"}), "ekbob_LATE_12346_67892_batchnorm-1.go": "c",
				"müllerzoë_777_67893_my_own_hw_1.tar.gz": gzipOf(t, tarOf(t, tree{q01: "d"})),
				"anon_x1Y2z_67894_hw.zip":                zipOf(t, tree{q01: "e"}),
				"kimlo_12399_67895_text.html":            "no",
			}, `
			anon_x1Y2z||c/anon_x1Y2z_67894_hw.zip|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: e
			ekbob||c/ekbob_LATE_12346_67891_hw1.zip, c/ekbob_LATE_12346_67892_batchnorm-1.go
			  q01 = ekbob_LATE_12346_67891_hw1.zip: katas/q01-cross-entropy/crossentropy.go: b
			  q05 = ekbob_LATE_12346_67892_batchnorm-1.go: batchnorm.go: c
			kimlo||c/kimlo_12399_67895_text.html
			  all ! it has none of the declared files: a kata's file is at katas/q01-cross-entropy/crossentropy.go, or is crossentropy.go alone
			leeann||c/leeann_12345_67890_hw1.zip|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: a
			müllerzoë||c/müllerzoë_777_67893_my_own_hw_1.tar.gz|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: d`,
		},
		{
			"names that only look like Canvas's", tree{"hw_2026_11_ann.zip": zipOf(t, tree{q01: "a"}), "hw_2026_11_bob.zip": zipOf(t, tree{q01: "b"})}, `
			hw_2026_11_ann||c/hw_2026_11_ann.zip|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: a
			hw_2026_11_bob||c/hw_2026_11_bob.zip|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: b`,
		},
		{
			"Blackboard", tree{
				"HW 1_alee_attempt_2026-11-01-10-00-00_hw.zip": zipOf(t, tree{q01: "old"}), "HW 1_alee_attempt_2026-11-01-10-00-00.txt": "no",
				"HW 1_alee_attempt_2026-11-02-11-00-00_hw.zip": zipOf(t, tree{q01: "new"}), "HW 1_alee_attempt_2026-11-02-11-00-00.txt": "no",
				"a_b_bek_attempt_2026-11-01-10-00-00_batchnorm.go": "b",
			}, `
			alee||c/HW 1_alee_attempt_2026-11-02-11-00-00.txt, c/HW 1_alee_attempt_2026-11-02-11-00-00_hw.zip|11-02 10:00 name
			  q01 = HW 1_alee_attempt_2026-11-02-11-00-00_hw.zip: katas/q01-cross-entropy/crossentropy.go: new
			  all ! this is the newest; there is an older one, which was not read: c/HW 1_alee_attempt_2026-11-01-10-00-00.txt, c/HW 1_alee_attempt_2026-11-01-10-00-00_hw.zip
			bek||c/a_b_bek_attempt_2026-11-01-10-00-00_batchnorm.go|11-01 09:00 name
			  q05 = batchnorm.go: b`,
		},
		{
			"repositories that Moodle has", tree{"Ann Lee_1_assignsubmission_file_/.git/x": "", "Bob Ek_2_assignsubmission_file_/.git/x": ""}, `
			Ann Lee|Ann Lee|c/Ann Lee_1_assignsubmission_file_
			  all ! its .git folder is no repository: it has no objects
			Bob Ek|Bob Ek|c/Bob Ek_2_assignsubmission_file_
			  all ! its .git folder is no repository: it has no objects`,
		},
		{
			"Gradescope", tree{
				"submission_metadata.yml": metadata, "submission_1/" + q01: "a", "submission_2/batchnorm.go": "b", "submission_3/batchnorm.go": "c", "submission_4/batchnorm.go": "d",
				"submission_5/batchnorm.go": "e",
			}, fromGradescope("c/", ""),
		},
		{"somebody's numbers", tree{"300123.zip": zipOf(t, tree{q01: "a"}), "=cmd.zip": zipOf(t, tree{q01: "b"})}, `
			300123||c/300123.zip|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: a
			=cmd||c/=cmd.zip|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: b`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.HasPrefix(c.name, "repositories") {
				needGit(t)
			}
			files := tree{}
			for name, text := range c.files {
				files["c/"+name] = text
			}
			lay(t, files)
			same(t, found(t, submission.Options{}, "c"), c.want)
		})
	}
}

// metadata is what Gradescope writes: Ruby's symbols as keys, anchors, times of Ruby's.
const metadata = `---
submission_1:
  :id: 1
  :submitters:
  - :name: Ann Lee
    :sid: '0100'
    :email: ann@uni.edu
  :created_at: 2026-11-02 10:00:00.123456000 Z
  :score: 3.0
  :results: &1
    tests:
    - output: |
        :submitters:
      text: "
        :created_at: no"
  :history:
  - :id: 7
    :results: *1
submission_2:
  :submitters:
  - :name: Bob Ek
    :sid: ''
    :email: bob@uni.edu
  - :name: Kim Lo
    :sid:
    :email:
  :created_at: 2026-11-02 12:00:00.000000000 +01:00
submission_3:
  :submitters: []
submission_5:
  :submitters:
  - :name: Ann Lee
    :sid: '0100'
    :email: ann@uni.edu
  :created_at: 2026-11-01 10:00:00 UTC
`

// fromGradescope is what comes of it where the folders are at a place, their files of a time that is shown.
func fromGradescope(at, file string) string {
	return strings.NewReplacer("@sub", at+"sub", "#", file).Replace(`
			0100|Ann Lee|@submission_1|11-02 10:00 metadata
			  q01 = katas/q01-cross-entropy/crossentropy.go: a
			  all ! this is the newest; there is an older one, which was not read: @submission_5
			Kim Lo|Kim Lo|@submission_2|11-02 11:00 metadata
			  q05 = batchnorm.go: b
			bob@uni.edu|Bob Ek|@submission_2|11-02 11:00 metadata
			  q05 = batchnorm.go: b
			submission_3||@submission_3#
			  q05 = batchnorm.go: c
			submission_4||@submission_4#
			  q05 = batchnorm.go: d`)
}

// A zip of many is one whose names say so.
func TestZipOfMany(t *testing.T) {
	export := func(root string) string {
		return zipOf(t, tree{
			root + "submission_metadata.yml": metadata, root + "submission_1/" + q01: "a", root + "submission_2/batchnorm.go": "b", root + "submission_3/batchnorm.go": "c",
			root + "submission_4/batchnorm.go": "d", root + "submission_5/batchnorm.go": "e", "__MACOSX/" + root + "._x": "no",
		})
	}
	two := tree{"kim/" + q01: "a", "lo/" + q01: "b"}
	lay(t, tree{
		"g.zip": export(""), "h.zip": export("assignment_8046601_export/"),
		"moodle.zip": zipOf(t, tree{"Ann Lee_12_assignsubmission_file_/" + q01: "a", "Bob Ek_13_assignsubmission_file_/batchnorm.go": "b"}),
		"canvas.zip": zipOf(t, tree{"leeann_1_2_batchnorm.go": "a", "leeann_1_3_crossentropy-2.go": "b", "ekbob_LATE_4_5_batchnorm.go": "c"}),
		"packed.zip": zipOf(t, tree{"leeann_1_2_hw.zip": zipOf(t, tree{q01: "a"}), "ekbob_4_5_hw.zip": zipOf(t, tree{q01: "b"})}),
		"inner.zip":  zipOf(t, tree{"Ann Lee_12_assignsubmission_file_/hw.tar.gz": "x"}),
		"two.zip":    zipOf(t, two), "roster.csv": "id\nkim\nlo\n", "nested.zip": zipOf(t, tree{"hw.zip": "x"}),
	})
	for arg, want := range map[string]string{
		"g.zip": fromGradescope("g.zip: ", "|11-02 10:00 file"),
		"h.zip": fromGradescope("h.zip: ", "|11-02 10:00 file"),
		"moodle.zip": `
			Ann Lee|Ann Lee|moodle.zip: Ann Lee_12_assignsubmission_file_|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: a
			Bob Ek|Bob Ek|moodle.zip: Bob Ek_13_assignsubmission_file_|11-02 10:00 file
			  q05 = batchnorm.go: b`,
		"canvas.zip": `
			ekbob||canvas.zip: ekbob_LATE_4_5_batchnorm.go|11-02 10:00 file
			  q05 = batchnorm.go: c
			leeann||canvas.zip: leeann_1_2_batchnorm.go, canvas.zip: leeann_1_3_crossentropy-2.go|11-02 10:00 file
			  q01 = leeann_1_3_crossentropy-2.go: crossentropy.go: b
			  q05 = leeann_1_2_batchnorm.go: batchnorm.go: a`,
		"packed.zip": `
			error: packed.zip holds the submissions of many, and archives in an archive are not opened: ekbob_4_5_hw.zip
			hint: unpack it, and name the folder`,
		"inner.zip": `
			error: inner.zip holds the submissions of many, and archives in an archive are not opened: Ann Lee_12_assignsubmission_file_/hw.tar.gz
			hint: unpack it, and name the folder`,
		"nested.zip": `
			nested||nested.zip
			  all ! archives in an archive are not opened: hw.zip
			  all ! it has none of the declared files: a kata's file is at katas/q01-cross-entropy/crossentropy.go, or is crossentropy.go alone`,
		"two.zip": `
			two||two.zip
			  q01 ! 2 files could be it: kim/katas/q01-cross-entropy/crossentropy.go, lo/katas/q01-cross-entropy/crossentropy.go; none was taken`,
	} {
		t.Run(arg, func(t *testing.T) { same(t, found(t, submission.Options{}, arg), want) })
	}
	t.Run("too many", func(t *testing.T) {
		submission.LowerMaxEntries(t, 1)
		same(t, found(t, submission.Options{}, "moodle.zip"), `
			error: moodle.zip holds the submissions of many, and more than 1 files and folders
			hint: unpack it, and name the folder`)
	})
	t.Run("of people on the roster", func(t *testing.T) {
		same(t, found(t, submission.Options{Roster: "roster.csv"}, "two.zip"), `
			kim||two.zip: kim|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: a
			lo||two.zip: lo|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: b`)
	})
}

func TestRoster(t *testing.T) {
	local(t, "CET", 1)
	a := tree{
		"c/alee/" + q01: "a", "c/bob@UNI.edu.zip": zipOf(t, tree{q01: "b"}), "c/Kim Lo_5_assignsubmission_file_/" + q01: "c", "c/vandijkpiet_77_1_crossentropy.go": "d",
		"c/Zoe\u0308 Mu\u0308ller/" + q01: "e", "c/nobody/" + q01: "f", "c/Jo Ek_8_assignsubmission_file_/" + q01: "g",
	}
	for name, roster := range map[string]string{
		"a spreadsheet's": "\ufeffLogin; Name; E-Mail ;Email; ID;Submitted\r\nalee;Ann Lee;;;11;2026-11-02 11:00\r\n;Bob Ek;;bob@uni.edu;12;\r\n;\"Lo, Kim\";;;13;2026-11-02T10:00:00Z\r\n" +
			";Piet van Dijk;;;14;\r\n;Zo\u00eb M\u00fcller;;;15;\r\n;Jo Ek;;;16;\r\n;Jo Ek;;;17;\r\n;Eva;;;18;\r\n;;;;;\r\n",
		"with commas": "id,login,email,first name,surname,submitted\n11,ALEE,,Ann,Lee,2026-11-02 11:00:00\n12,,bob@uni.edu,Bob,Ek,\n13,,,Kim,Lo,2026-11-02 11:00:00 +0100\n" +
			"14,,,Piet,van Dijk,\n15,,,Zo\u00eb,M\u00fcller,\n16,,,Jo,Ek,\n17,,,Jo,Ek,\n18,,,Eva,,\n",
	} {
		t.Run(name, func(t *testing.T) {
			lay(t, a)
			kim := "Kim Lo"
			if strings.Contains(roster, "Lo, Kim") {
				kim = "Lo, Kim" // as the roster has it
			}
			fixture.Write(t, "roster.csv", roster)
			same(t, found(t, submission.Options{Roster: "roster.csv"}, "c"), strings.ReplaceAll(`
			11|Ann Lee|c/alee|11-02 10:00 roster
			  q01 = katas/q01-cross-entropy/crossentropy.go: a
			12|Bob Ek|c/bob@UNI.edu.zip|11-02 10:00 file
			  q01 = katas/q01-cross-entropy/crossentropy.go: b
			13|KIM|c/Kim Lo_5_assignsubmission_file_|11-02 10:00 roster
			  q01 = katas/q01-cross-entropy/crossentropy.go: c
			14|Piet van Dijk|c/vandijkpiet_77_1_crossentropy.go
			  q01 = crossentropy.go: d
			15|Zoë Müller|c/Zoë Müller
			  q01 = katas/q01-cross-entropy/crossentropy.go: e
			16|Jo Ek|
			  all ! nothing was handed in
			17|Jo Ek|
			  all ! nothing was handed in
			18|Eva|
			  all ! nothing was handed in
			Jo Ek|Jo Ek|c/Jo Ek_8_assignsubmission_file_
			  q01 = katas/q01-cross-entropy/crossentropy.go: g
			  all ! 2 people on the roster are called Jo Ek
			nobody||c/nobody
			  q01 = katas/q01-cross-entropy/crossentropy.go: f
			  all ! the roster has nobody of this name`, "KIM", kim))
		})
	}
	for name, c := range map[string]struct{ roster, want string }{
		"empty":        {"", "error: the roster r.csv: it is empty\nhint: "},
		"no columns":   {"who,what\na,b\n", "error: the roster r.csv: no column says who a person is: who, what\nhint: its first line names the columns: student or id, login, github, email, name"},
		"twice":        {"id,name\n1,A\n2,B\n1,C\n", "error: the roster r.csv: line 4: 1 is on line 2 already\nhint: "},
		"no time":      {"id,submitted\n1,yesterday\n", "error: the roster r.csv: line 2: \"yesterday\" is no time; write 2026-11-01 10:00 or 2026-11-01T10:00:00+01:00\nhint: "},
		"no CSV":       {"id\n\"a\n", "error: the roster r.csv: parse error on line 2, column 4: extraneous or missing \" in quoted-field\nhint: "},
		"names alone":  {"name\nAnn\n", "error: the roster r.csv: no column says who a person is: name\nhint: its first line names the columns: student or id, login, github, email, name"},
		"Canvas's own": {"Student,ID,SIS Login ID\n    Points Possible,,\n\"Lee, Ann\",7,alee\n", "Lee, Ann|Lee, Ann|\n  all ! nothing was handed in\nx||x\n  q01 = crossentropy.go: a\n  all ! the roster has nobody of this name"},
	} {
		t.Run(name, func(t *testing.T) {
			lay(t, tree{"r.csv": c.roster, "x/crossentropy.go": "a"})
			same(t, found(t, submission.Options{Roster: "r.csv"}, "x"), c.want)
		})
	}
	t.Run("a number of somebody else's", func(t *testing.T) {
		lay(t, tree{"r.csv": "id,name\n77,Ann Lee\n78,Bob Ek\n", "c/loeva_77_1_crossentropy.go": "a", "c/ekbob_77_2_crossentropy.go": "b"})
		same(t, found(t, submission.Options{Roster: "r.csv"}, "c"), `
			77|Ann Lee|
			  all ! nothing was handed in
			78|Bob Ek|c/ekbob_77_2_crossentropy.go
			  q01 = crossentropy.go: b
			loeva||c/loeva_77_1_crossentropy.go
			  q01 = crossentropy.go: a
			  all ! the roster has nobody of this name`)
	})
}

// Two submissions of one student are an error, unless a system says which is the newer one. What time a file has says nothing.
func TestTwice(t *testing.T) {
	lay(t, tree{"a/kim/" + q01: "a", "b/kim.zip": zipOf(t, tree{q01: "b"}), "b/e\u0301va/" + q01: "c", "a/\u00e9va/" + q01: "d", "a/lo/" + q01: "e", "b/HW_lo_attempt_2026-11-01-10-00-00_x.zip": zipOf(t, tree{q01: "f"}), "a/al/" + q01: "g"})
	same(t, found(t, submission.Options{}, "a", "b"), `
		error: there are 2 submissions of kim, and none is known to be the newest: a/kim, b/kim.zip
		there are 2 submissions of lo, and none is known to be the newest: b/HW_lo_attempt_2026-11-01-10-00-00_x.zip, a/lo
		there are 2 submissions of éva, and none is known to be the newest: a/éva, b/éva
		hint: take one of them away; if they are of several people whose folders have the same name, name the folder above`)
}
