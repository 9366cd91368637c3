// A server on gliderlabs/ssh with the smallest correct shell; x/crypto's line editor serves
// terminals. Built with Debian's golang-github-gliderlabs-ssh-dev.
package main

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"math/rand"
	"os"
	"strings"

	"github.com/gliderlabs/ssh"
	"golang.org/x/crypto/ssh/terminal"
)

var table = map[string][]string{}

func answer(line string) string {
	texts := table[strings.ToLower(strings.TrimSpace(line))]
	if len(texts) == 0 {
		return "I've got nothing."
	}
	return texts[rand.Intn(len(texts))]
}

func readTable(path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		parts := strings.SplitN(line, ": ", 2)
		table[parts[0]] = append(table[parts[0]], parts[1])
	}
}

func talk(session ssh.Session) {
	if _, _, isPty := session.Pty(); isPty {
		editor := terminal.NewTerminal(session, "> ")
		for {
			line, err := editor.ReadLine()
			if err != nil {
				return
			}
			io.WriteString(editor, answer(line)+"\n")
		}
	}
	reader := bufio.NewReaderSize(session, 32*1024)
	writer := bufio.NewWriterSize(session, 32*1024)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			break
		}
		writer.WriteString(answer(line))
		writer.WriteByte('\n')
		if reader.Buffered() == 0 {
			writer.Flush()
		}
	}
	writer.Flush()
	session.Exit(0)
}

func main() {
	hostKey, keyFile := os.Args[2], os.Args[3]
	readTable(os.Args[4])
	data, err := os.ReadFile(keyFile)
	if err != nil {
		log.Fatal(err)
	}
	authorized, _, _, _, err := ssh.ParseAuthorizedKey(bytes.TrimSpace(data))
	if err != nil {
		log.Fatal(err)
	}
	mayComeIn := func(ctx ssh.Context, key ssh.PublicKey) bool {
		return ctx.User() == "bench" && ssh.KeysEqual(key, authorized)
	}
	log.Fatal(ssh.ListenAndServe("127.0.0.1:"+os.Args[1], talk,
		ssh.HostKeyFile(hostKey), ssh.PublicKeyAuth(mayComeIn)))
}
