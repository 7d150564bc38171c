package submission_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/submission"
)

// needGit skips the test where there is no git, and fails it in CI.
func needGit(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no git, and CI skips nothing")
		}
		t.Skip("no git")
	}
}

// git runs git in a folder, as a student's machine would.
func git(t *testing.T, dir string, at time.Time, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=x", "-c", "user.email=x@x", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"}, args...)...)
	stamp := fmt.Sprintf("%d +0000", at.Unix())
	cmd.Dir = dir
	cmd.Env = append(submission.GitEnvironment(os.Environ()), "GIT_COMMITTER_DATE="+stamp, "GIT_AUTHOR_DATE="+stamp, "GIT_ALLOW_PROTOCOL=file")
	if args[0] == "mktree" {
		list, err := os.Open("list")
		if err != nil {
			t.Fatal(err)
		}
		defer list.Close()
		cmd.Stdin = list
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes the files and commits everything.
func commit(t *testing.T, dir string, at time.Time, files tree) {
	t.Helper()
	for name, text := range files {
		fixture.Write(t, filepath.Join(dir, name), text)
	}
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		git(t, ".", at, "init", "--quiet", "--template=", dir)
	}
	git(t, dir, at, "add", "--all")
	git(t, dir, at, "commit", "--quiet", "--allow-empty", "--message=x")
}

func TestGit(t *testing.T) {
	needGit(t)
	lay(t, tree{"hw1/": ""})
	tuesday, wednesday := monday.Add(24*time.Hour), monday.Add(48*time.Hour)
	commit(t, "hw1/hw1-annlee", monday, tree{q01: "monday", "q05-batch-norm/batchnorm.go": "a\r\nb"})
	commit(t, "hw1/hw1-annlee", tuesday, tree{q01: "tuesday"})
	commit(t, "hw1/hw1-annlee", wednesday, tree{q01: "wednesday"})
	fixture.Write(t, "hw1/hw1-annlee/"+q01, "not committed")
	git(t, ".", monday, "clone", "--quiet", "--bare", "--no-local", "hw1/hw1-annlee", "hw1/hw1-bob-ek.git")
	commit(t, "hw1/hw1-kim", monday, tree{q01: "main"})
	git(t, "hw1/hw1-kim", monday, "checkout", "--quiet", "-b", "work")
	commit(t, "hw1/hw1-kim", tuesday, tree{q01: "work"})
	same(t, found(t, submission.Options{}, "hw1"), `
		annlee||hw1/hw1-annlee|11-04 10:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: wednesday
		  q05 = q05-batch-norm/batchnorm.go: a`+"\r"+`
		b
		bob-ek||hw1/hw1-bob-ek.git|11-04 10:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: wednesday
		  q05 = q05-batch-norm/batchnorm.go: a`+"\r"+`
		b
		kim||hw1/hw1-kim|11-03 10:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: work`)

	same(t, strings.Join(regexp.MustCompile(`(?m)^[^ |\n]+\|.*`).FindAllString(found(t, submission.Options{}, "hw1/hw1-annlee", "hw1/hw1-kim"), -1), "\n"), `
		annlee||hw1/hw1-annlee|11-04 10:00 git
		kim||hw1/hw1-kim|11-03 10:00 git`)

	// Up to the deadline, itself too; on a branch, also one that a clone has only of its origin.
	git(t, ".", monday, "clone", "--quiet", "--no-local", "hw1/hw1-kim", "clone")
	same(t, found(t, submission.Options{Deadline: tuesday}, "hw1/hw1-annlee", "clone"), `
		clone||clone|11-03 10:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: work
		hw1-annlee||hw1/hw1-annlee|11-03 10:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: tuesday
		  q05 = q05-batch-norm/batchnorm.go: a`+"\r"+`
		b`)
	same(t, found(t, submission.Options{Deadline: tuesday.Add(-time.Second), Branch: "main"}, "clone", "hw1/hw1-kim"), `
		clone||clone|11-02 10:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: main
		hw1-kim||hw1/hw1-kim|11-02 10:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: main`)
	same(t, found(t, submission.Options{Branch: "--output=x"}, "clone"), `
		clone||clone
		  all ! the repository has no branch --output=x`)
	same(t, found(t, submission.Options{Deadline: monday.Add(-time.Hour)}, "clone"), `
		clone||clone
		  all ! the repository has no commit up to the deadline, 2026-11-02 09:00 UTC`)

	// What was merged after the deadline was not on the branch before it.
	git(t, "hw1/hw1-kim", monday, "checkout", "--quiet", "main")
	commit(t, "hw1/hw1-kim", monday.Add(time.Hour), tree{"README.md": ""})
	git(t, "hw1/hw1-kim", wednesday, "merge", "--quiet", "--no-ff", "--message=x", "work")
	same(t, found(t, submission.Options{Deadline: tuesday}, "hw1/hw1-kim"), `
		hw1-kim||hw1/hw1-kim|11-02 11:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: main`)

	// A roster knows logins; of two repositories of one student the newest commit counts.
	fixture.Write(t, "roster.csv", "id,name,github\n1,Ann Lee,AnnLee\n2,Bob Ek,bob-ek\n3,Kim Lo,kim\n4,Ek,ek\n")
	commit(t, "again/hw1-kim", wednesday.Add(time.Hour), tree{q01: "again"})
	same(t, found(t, submission.Options{Roster: "roster.csv"}, "hw1/hw1-annlee", "hw1/hw1-bob-ek.git", "hw1/hw1-kim", "again"), `
		1|Ann Lee|hw1/hw1-annlee|11-04 10:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: wednesday
		  q05 = q05-batch-norm/batchnorm.go: a`+"\r"+`
		b
		2|Bob Ek|hw1/hw1-bob-ek.git|11-04 10:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: wednesday
		  q05 = q05-batch-norm/batchnorm.go: a`+"\r"+`
		b
		3|Kim Lo|again/hw1-kim|11-04 11:00 git
		  q01 = katas/q01-cross-entropy/crossentropy.go: again
		  all ! this is the newest; there is an older one, which was not read: hw1/hw1-kim
		4|Ek|
		  all ! nothing was handed in`)
}

func TestWithoutGit(t *testing.T) {
	lay(t, tree{"c/kim/.git/HEAD": "", "c/lo/" + q01: "a"})
	t.Setenv("PATH", t.TempDir())
	same(t, found(t, submission.Options{}, "c"), `
		error: c/kim is a git repository, and there is no git on the PATH: exec: "git": executable file not found in `+map[bool]string{true: "%PATH%", false: "$PATH"}[runtime.GOOS == "windows"]+`
		hint: install git, or hand the files over without the .git folder`)
}

// A repository is a stranger's: what its configuration names is not run, and what is not its own is not read.
func TestHostileRepositories(t *testing.T) {
	needGit(t)
	if runtime.GOOS == "windows" {
		t.Skip("what the repositories try to run are shell scripts")
	}
	lay(t, tree{"marker/": ""})
	here, _ := os.Getwd()
	marker := filepath.Join(here, "marker", "ran")
	evil := filepath.Join(here, "evil.sh")
	if err := os.WriteFile(evil, []byte("#!/bin/sh\ntouch "+marker+"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	commit(t, "teacher", monday, tree{q01: "the answer"})
	answer := git(t, "teacher", monday, "rev-parse", "HEAD:"+q01)

	every := ""
	for _, name := range []string{
		"core.fsmonitor", "core.sshCommand", "core.askPass", "core.pager", "core.editor", "core.gitProxy", "core.alternateRefsCommand", "pager.ls-tree", "pager.cat-file", "pager.rev-list",
		"diff.external", "gpg.program", "credential.helper", "uploadpack.packObjectsHook", "interactive.diffFilter",
	} {
		section, key, _ := strings.Cut(name, ".")
		every += fmt.Sprintf("[%s]\n\t%s = %s\n", section, key, evil)
	}
	for _, name := range []string{"cat-file", "ls-tree", "rev-list", "rev-parse"} {
		every += fmt.Sprintf("[alias]\n\t%s = !%s\n", name, evil)
	}
	every += fmt.Sprintf("[core]\n\thooksPath = %s\n\tattributesFile = %s\n[filter \"x\"]\n\tsmudge = %s\n\tclean = %s\n\tprocess = %s\n\trequired = true\n[diff \"x\"]\n\ttextconv = %s\n",
		here, filepath.Join(here, "attributes"), evil, evil, evil, evil)
	fixture.Write(t, "attributes", "* filter=x diff=x\n")

	for _, c := range []struct {
		name string
		make func(dir string)
		want string
	}{
		{"a configuration that runs programs", func(dir string) {
			commit(t, dir, monday, tree{q01: "a", ".gitattributes": "* filter=x diff=x text eol=crlf ident\n"})
			change(t, filepath.Join(dir, ".git", "config"), every)
			for _, hook := range []string{"post-checkout", "pre-auto-gc", "reference-transaction", "fsmonitor-watchman"} {
				move(t, filepath.Join(dir, ".git", "hooks", hook), evil)
			}
		}, "q01 ok"},
		{"a missing object that a remote would send", func(dir string) {
			commit(t, dir, monday, tree{q01: "gone"})
			gone := git(t, dir, monday, "rev-parse", "HEAD:"+q01)
			if err := os.Remove(filepath.Join(dir, ".git", "objects", gone[:2], gone[2:])); err != nil {
				t.Fatal(err)
			}
			change(t, filepath.Join(dir, ".git", "config"), fmt.Sprintf("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\tpromisor = true\n"+
				"\turl = %s\n\tuploadpack = %s\n[protocol]\n\tallow = always\n[protocol \"file\"]\n\tallow = always\n[protocol \"ext\"]\n\tallow = always\n", filepath.Join(here, "teacher"), evil))
		}, "q01 ! katas/q01-cross-entropy/crossentropy.go: the repository does not hold its content"},
		{"a remote that is a program", func(dir string) {
			commit(t, dir, monday, tree{q01: "gone"})
			gone := git(t, dir, monday, "rev-parse", "HEAD:"+q01)
			if err := os.Remove(filepath.Join(dir, ".git", "objects", gone[:2], gone[2:])); err != nil {
				t.Fatal(err)
			}
			change(t, filepath.Join(dir, ".git", "config"), fmt.Sprintf("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\tpromisor = true\n"+
				"\turl = ext::%s\n[protocol]\n\tallow = always\n[protocol \"ext\"]\n\tallow = always\n", evil))
		}, "q01 ! katas/q01-cross-entropy/crossentropy.go: the repository does not hold its content"},
		{"another's objects", func(dir string) {
			commit(t, dir, monday, tree{"batchnorm.go": "a"})
			git(t, dir, monday, "update-index", "--add", "--info-only", "--cacheinfo", "100644,"+answer+","+q01)
			fixture.Write(t, filepath.Join(dir, ".git", "objects", "info", "alternates"), filepath.Join(here, "teacher", ".git", "objects")+"\n")
			git(t, dir, monday, "commit", "--quiet", "--message=x")
		}, "! its repository borrows from another (objects/info/alternates): hand in a clone of its own"},
		{"a link to another's objects", func(dir string) {
			commit(t, dir, monday, tree{"batchnorm.go": "a"})
			move(t, filepath.Join(dir, ".git", "objects", answer[:2]), filepath.Join(here, "teacher", ".git", "objects", answer[:2]))
		}, "! in its repository " + answer[:2] + " is a link, and no file"},
		{"objects that are another's", func(dir string) {
			commit(t, dir, monday, nil)
			move(t, filepath.Join(dir, ".git", "objects"), "../../teacher/.git/objects")
		}, "! in its repository objects is a link, and no folder"},
		{"a repository that is another's", func(dir string) {
			fixture.Write(t, filepath.Join(dir, ".git"), "gitdir: ../teacher/.git\n")
		}, "! its .git is a file that names a repository elsewhere: hand in a clone of its own"},
		{"a link to another's repository", func(dir string) {
			move(t, filepath.Join(dir, ".git"), "../teacher/.git")
		}, "! in its repository . is a link, and no folder"},
		{"a worktree of another's", func(dir string) {
			commit(t, dir, monday, tree{q01: "a"})
			fixture.Write(t, filepath.Join(dir, ".git", "commondir"), "../../teacher/.git\n")
		}, "! its repository borrows from another (commondir): hand in a clone of its own"},
		{"a configuration that is a link", func(dir string) {
			commit(t, dir, monday, tree{q01: "a"})
			move(t, filepath.Join(dir, ".git", "config"), "/dev/zero")
		}, "! in its repository config is a link of 0 KiB, which git does not write so"},
		{"links and submodules", func(dir string) {
			move(t, filepath.Join(dir, q05), "../../../teacher/"+q01)
			commit(t, dir, monday, nil)
			git(t, dir, monday, "update-index", "--add", "--cacheinfo", "160000,"+git(t, dir, monday, "rev-parse", "HEAD")+",crossentropy.go")
			git(t, dir, monday, "commit", "--quiet", "--message=x")
		}, "q01 ! crossentropy.go is a submodule, and no regular file\nq05 ! katas/q05-batch-norm/batchnorm.go is a link, and no regular file"},
		{"a replacement", func(dir string) {
			commit(t, dir, monday, tree{q01: "a", "other": strings.Repeat("x", 300<<10)})
			git(t, dir, monday, "replace", "HEAD:"+q01, "HEAD:other")
		}, "q01 ok"},
		{"a large file", func(dir string) {
			commit(t, dir, monday, tree{q01: strings.Repeat("x", 300<<10), "batchnorm.go": "a"})
		}, "q05 ok\nq01 ! katas/q01-cross-entropy/crossentropy.go has more than 256 KiB"},
		{"many files in few trees", func(dir string) {
			commit(t, dir, monday, tree{"a/x": "x", "batchnorm.go": "a"})
			below := git(t, dir, monday, "rev-parse", "HEAD:a")
			for range 3 { // each folder has the one before ten times
				var list strings.Builder
				for i := range 10 {
					fmt.Fprintf(&list, "040000 tree %s\t%d\n", below, i)
				}
				fixture.Write(t, "list", list.String())
				below = git(t, dir, monday, "mktree")
			}
			git(t, dir, monday, "update-ref", "HEAD", git(t, dir, monday, "commit-tree", "-m", "x", below))
		}, "! it has more than 500 files and folders"},
		{"no commit", func(dir string) {
			git(t, ".", monday, "init", "--quiet", "--template=", dir)
		}, "! the repository has no commit that is checked out: git cannot read the repository: exit status 1"},
		{"no repository", func(dir string) { fixture.Write(t, filepath.Join(dir, ".git", "x"), "") }, "! its .git folder is no repository: it has no objects"},
		{"a broken one", func(dir string) {
			commit(t, dir, monday, tree{q01: "a"})
			change(t, filepath.Join(dir, ".git", "config"), "[core\n")
		}, "! the repository has no commit that is checked out: git cannot read the repository: fatal: bad config line "},
		{"a commit that unpacks to 33 MiB", func(dir string) {
			commit(t, dir, monday, tree{q01: "a"})
			text := "tree " + git(t, dir, monday, "rev-parse", "HEAD:") + "\nauthor x <x> 1 +0000\ncommitter x <x> 1 +0000\n\n" + strings.Repeat("x", 33<<20)
			text = fmt.Sprintf("commit %d\x00", len(text)) + text
			id := fmt.Sprintf("%x", sha1.Sum([]byte(text)))
			var packed bytes.Buffer
			w := zlib.NewWriter(&packed)
			_, _ = w.Write([]byte(text))
			w.Close()
			fixture.Write(t, filepath.Join(dir, ".git", "objects", id[:2], id[2:]), packed.String())
			fixture.Write(t, filepath.Join(dir, ".git", "refs", "heads", "main"), id+"\n")
		}, "! the repository has no commit that is checked out: git cannot read the repository: "},
		{"one of the future", func(dir string) {
			commit(t, dir, monday, tree{q01: "a"})
			change(t, filepath.Join(dir, ".git", "config"), "[core]\n\trepositoryformatversion = 99\n")
		}, "! the repository has no commit that is checked out: git cannot read the repository: "},
		{"names that go up", func(dir string) {
			commit(t, dir, monday, tree{"batchnorm.go": "a", "C:crossentropy.go": "b", `a\crossentropy.go`: "c"})
		}, "q05 ok\n! \"C:crossentropy.go\" is passed over: its name begins with a drive\n! \"a\\\\crossentropy.go\" is passed over: its name has a backslash"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := strings.ReplaceAll(c.name, " ", "-")
			c.make(dir)
			_ = os.Remove(marker)
			before := disk(t)
			// What the teacher's own environment and folder say to git changes nothing.
			for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_INDEX_FILE", "GIT_CEILING_DIRECTORIES"} {
				t.Setenv(name, filepath.Join(here, "teacher", ".git"))
			}
			t.Setenv("GIT_EXTERNAL_DIFF", evil)
			t.Setenv("GIT_SSH_COMMAND", evil)
			t.Setenv("GIT_CONFIG_COUNT", "1")
			t.Setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
			t.Setenv("GIT_CONFIG_VALUE_0", evil)
			submission.LowerMaxEntries(t, 500)
			s := read(t, dir)
			if got := summary(s); !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") != strings.Count(c.want, "\n") {
				t.Errorf("got %q, want %q", got, c.want)
			}
			harmless(t, s)
			for _, f := range s.Files {
				if string(f.Content) != "a" {
					t.Errorf("%s is %q, want what was committed, %q", f.Path, f.Content, "a")
				}
			}
			if _, err := os.Stat(marker); err == nil {
				t.Error("a program of the repository's ran")
			}
			if diff := cmp.Diff(before, disk(t)); diff != "" {
				t.Errorf("the disk has changed (-before +after):\n%s", diff)
			}
		})
	}
}

// change adds to the end of a file.
func change(t *testing.T, file, text string) {
	t.Helper()
	had, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(had, text...), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// move puts a link in the place of a file or folder.
func move(t *testing.T, file, to string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(file), os.MkdirAll(filepath.Dir(file), 0o777), os.Symlink(to, file)); err != nil {
		t.Fatal(err)
	}
}

func TestGitEnvironment(t *testing.T) {
	got := submission.GitEnvironment([]string{"PATH=/bin", "GIT_DIR=/x", "git_trace=1", "HOME=/root", "GIT_ALLOW_PROTOCOL=ext", "LC_ALL=de_DE", "TMPDIR=/tmp"})
	for _, want := range []string{"PATH=/bin", "TMPDIR=/tmp", "GIT_ALLOW_PROTOCOL=none", "GIT_CONFIG_NOSYSTEM=1", "HOME=" + os.DevNull, "LC_ALL=C"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not in %q", want, got)
		}
	}
	for _, bad := range []string{"GIT_DIR=/x", "git_trace=1", "HOME=/root", "GIT_ALLOW_PROTOCOL=ext", "LC_ALL=de_DE"} {
		if slices.Contains(got, bad) {
			t.Errorf("%s is in %q", bad, got)
		}
	}
}
