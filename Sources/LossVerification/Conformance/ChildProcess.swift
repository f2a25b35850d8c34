import Foundation

/// A program with pipes to its three streams, none of which can block the caller for ever.
///
/// Its output is read by threads of its own, line by line, so that a full pipe stops neither side; what
/// is sent is written by another, which does not see the signal of a broken pipe. The program is ended
/// and reaped by `end`.
final class ChildProcess: @unchecked Sendable {
  enum Event {
    case line(String)
    /// Its output has ended.
    case closed
    case timeout
  }

  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private let errors = Pipe()
  private let state = NSCondition()
  // All of these are guarded by `state`.
  private var lines: [String] = []
  private var isClosed = false
  private var outgoing: [Data] = []
  private var isEnding = false
  private var errorBytes = Data()
  private var areErrorsRead = false

  /// A line of output may have this many bytes, and this many lines may wait.
  private static let lineLimit = 64 << 20
  private static let waitingLimit = 4096
  private static let errorLimit = 4096

  /// Starts the program, which is looked for in PATH if its name has no slash.
  init(_ command: [String]) throws(ImplementationFailure) {
    guard let name = command.first, !name.isEmpty else {
      throw ImplementationFailure("no program is given")
    }
    process.executableURL = URL(fileURLWithPath: try Self.path(of: name))
    process.arguments = Array(command.dropFirst())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = errors
    do {
      try process.run()
    } catch {
      throw ImplementationFailure(
        "cannot start \(name): the system does not run it (a script begins with #! and its "
          + "interpreter)")
    }
    Interruption.note(process.processIdentifier)
    thread { self.readLines() }
    thread { self.readErrors() }
    thread { self.writeAll() }
  }

  private static func path(of name: String) throws(ImplementationFailure) -> String {
    let files = FileManager.default
    if name.contains("/") {
      var isDirectory: ObjCBool = false
      guard files.fileExists(atPath: name, isDirectory: &isDirectory) else {
        throw ImplementationFailure("cannot start \(name): there is no such file")
      }
      guard !isDirectory.boolValue else {
        throw ImplementationFailure("cannot start \(name): it is a folder")
      }
      guard files.isExecutableFile(atPath: name) else {
        throw ImplementationFailure("cannot start \(name): it is not executable")
      }
      return name
    }
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? ""
    for folder in folders.split(separator: ":")
    where files.isExecutableFile(
      atPath: "\(folder)/\(name)")
    {
      return "\(folder)/\(name)"
    }
    throw ImplementationFailure("cannot start \(name): it is not in PATH")
  }

  private func thread(_ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.stackSize = 1 << 20
    thread.start()
  }

  // MARK: Talking

  /// Sends a line; it is written in the background.
  func send(_ line: String) {
    state.lock()
    outgoing.append(Data((line + "\n").utf8))
    state.broadcast()
    state.unlock()
  }

  /// The next line of output, waited for until the deadline.
  func receive(until deadline: Date) -> Event {
    state.lock()
    defer { state.unlock() }
    while lines.isEmpty {
      if isClosed { return .closed }
      if !state.wait(until: deadline), lines.isEmpty { return isClosed ? .closed : .timeout }
    }
    let line = lines.removeFirst()
    state.broadcast()
    return .line(line)
  }

  /// The last that it wrote on its standard error.
  var errorTail: String {
    state.lock()
    defer { state.unlock() }
    return String(decoding: errorBytes, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Closes its input, gives it until the deadline to end by itself, and then kills it.
  ///
  /// - Returns: how it ended, "ended with status 1", or `killed` where it had to be.
  @discardableResult
  func end(within seconds: Double, orElse killed: String = "was killed") -> String {
    state.lock()
    isEnding = true
    state.broadcast()
    state.unlock()
    var isKilled = false
    if !waitForExit(seconds) {
      // With what it has started, where it leads a group of its own.
      let leader = process.processIdentifier
      kill(getpgid(leader) == leader ? -leader : leader, SIGKILL)
      isKilled = true
      _ = waitForExit(5)
    }
    // Its last words may be on their way; a program that it has left behind may still hold the pipes.
    let deadline = Date(timeIntervalSinceNow: 1)
    state.lock()
    while !areErrorsRead, state.wait(until: deadline) {}
    isClosed = true
    lines = []
    state.broadcast()
    state.unlock()
    if process.isRunning { return "cannot be ended" }
    Interruption.note(0)
    if isKilled { return killed }
    let status = process.terminationStatus
    return process.terminationReason == .uncaughtSignal
      ? "was ended by signal \(status)\(Self.signals[status].map { " (\($0))" } ?? "")"
      : "ended with status \(status)"
  }

  private static let signals: [Int32: String] = [
    SIGSEGV: "segmentation fault", SIGABRT: "abort", SIGFPE: "arithmetic error",
    SIGILL: "illegal instruction", SIGBUS: "bus error", SIGKILL: "kill", SIGTERM: "termination",
    SIGTRAP: "trap",
  ]

  private func waitForExit(_ seconds: Double) -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while process.isRunning {
      if Date() >= deadline { return false }
      usleep(2000)
    }
    return true
  }

  // MARK: The threads

  private func readLines() {
    var partial = Data()
    read(output) { data in
      partial.append(data)
      guard data.contains(0x0a) else { return partial.count <= Self.lineLimit }
      var found: [String] = []
      while let end = partial.firstIndex(of: 0x0a) {
        found.append(String(decoding: partial[partial.startIndex..<end], as: UTF8.self))
        partial = partial[partial.index(after: end)...]
      }
      partial = Data(partial)
      state.lock()
      while lines.count > Self.waitingLimit, !isClosed { state.wait() }
      lines += found
      state.broadcast()
      state.unlock()
      return true
    }
    state.lock()
    if !partial.isEmpty, partial.count <= Self.lineLimit {
      lines.append(String(decoding: partial, as: UTF8.self))
    }
    isClosed = true
    state.broadcast()
    state.unlock()
  }

  private func readErrors() {
    read(errors) { data in
      state.lock()
      errorBytes.append(data)
      errorBytes = Data(errorBytes.suffix(Self.errorLimit))
      state.unlock()
      return true
    }
    state.lock()
    areErrorsRead = true
    state.broadcast()
    state.unlock()
  }

  /// Hands over what can be read until there is no more, or until `take` has had enough.
  private func read(_ pipe: Pipe, _ take: (Data) -> Bool) {
    let descriptor = pipe.fileHandleForReading.fileDescriptor
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = buffer.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0, take(Data(buffer[..<count])) else { break }
    }
    try? pipe.fileHandleForReading.close()
  }

  private func writeAll() {
    // A program that no longer reads is an error of the write, not a signal to this process.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let descriptor = input.fileHandleForWriting.fileDescriptor
    writing: while true {
      state.lock()
      while outgoing.isEmpty && !isEnding { state.wait() }
      guard !outgoing.isEmpty else {
        state.unlock()
        break
      }
      let data = outgoing.removeFirst()
      state.unlock()
      var rest = data[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { break writing }
        rest = rest.dropFirst(count)
      }
    }
    try? input.fileHandleForWriting.close()
  }
}
