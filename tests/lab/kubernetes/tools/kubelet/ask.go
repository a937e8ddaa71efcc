// Copyright (c) 2026, the container.schedulers authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
)

const containerSocket = "/run/lab/lab.sock"

// Question is a program that was called in a container.
type Question struct {
	Container   string   `json:"container"`
	Program     string   `json:"program"`
	Arguments   []string `json:"arguments"`
	Environment []string `json:"environment"`
	Directory   string   `json:"directory"`
	Input       string   `json:"input"`
}

// Answer is what the program prints, and its exit code.
type Answer struct {
	Output string `json:"output"`
	Error  string `json:"error"`
	Code   int    `json:"code"`
}

// ask runs a program of the container by asking the lab what it does.
func ask() int {
	connection, err := net.Dial("unix", containerSocket)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 126
	}
	defer connection.Close()
	directory, _ := os.Getwd()
	question := Question{
		Container:   os.Getenv("LAB_CONTAINER"),
		Program:     filepath.Base(os.Args[0]),
		Arguments:   os.Args[1:],
		Environment: os.Environ(),
		Directory:   directory,
		Input:       standardInput(),
	}
	var answer Answer
	if err := json.NewEncoder(connection).Encode(question); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 126
	}
	if err := json.NewDecoder(connection).Decode(&answer); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 126
	}
	fmt.Fprint(os.Stdout, answer.Output)
	fmt.Fprint(os.Stderr, answer.Error)
	return answer.Code
}

// standardInput is what was piped in; a terminal or a device has nothing to say.
func standardInput() string {
	information, err := os.Stdin.Stat()
	if err != nil || information.Mode()&os.ModeCharDevice != 0 {
		return ""
	}
	content, _ := io.ReadAll(os.Stdin)
	return string(content)
}
