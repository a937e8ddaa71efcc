// Copyright (c) 2026, the container.schedulers authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
)

// forward gives an instance without a network the few addresses that it needs: each argument is ADDRESS=NAME, and who
// connects to the address talks to what the lab calls by that name. It says when all of them can be reached.
func forward(arguments []string) {
	for _, argument := range arguments {
		address, name, _ := strings.Cut(argument, "=")
		listener, err := net.Listen("tcp", address)
		if err != nil {
			log.Fatal(err)
		}
		go accept(listener, name)
	}
	fmt.Println("ready")
	os.Stdout.Close()
	select {}
}

func accept(listener net.Listener, name string) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go pass(connection, name)
	}
}

func pass(connection net.Conn, name string) {
	defer connection.Close()
	lab, err := net.Dial("unix", containerSocket)
	if err != nil {
		return
	}
	defer lab.Close()
	if err := json.NewEncoder(lab).Encode(map[string]string{"connect": name}); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(lab, connection)
		_ = lab.(*net.UnixConn).CloseWrite()
	}()
	_, _ = io.Copy(connection, lab)
}
