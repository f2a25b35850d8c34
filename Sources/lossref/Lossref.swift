#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A subcommand: it takes its arguments, does its work, and returns the exit status: 0, 1 for a
/// finding, 2 for a command line that cannot be carried out.
protocol Command: SendableMetatype {
  static var name: String { get }
  /// One line for the list of subcommands.
  static var abstract: String { get }
  /// What `lossref NAME --help` prints.
  static var help: String { get }
  static func run(_ arguments: Arguments) throws -> Int32
}

@main
struct Lossref {
  /// In the order of the help text; a new subcommand is one more line here.
  static let commands: [any Command.Type] = [
    List.self, Verify.self, Identify.self, Emit.self, CheckAnswers.self, Evaluate.self, Spec.self,
    Vectors.self, Bench.self,
  ]

  static func main() {
    exit(run(Array(CommandLine.arguments.dropFirst())))
  }

  private static func run(_ words: [String]) -> Int32 {
    guard let name = words.first else {
      complain(help)
      return 2
    }
    if ["--help", "-h", "help"].contains(name) {
      print(help)
      return 0
    }
    guard let command = commands.first(where: { $0.name == name }) else {
      complain("lossref: unknown subcommand \(name); `lossref --help` lists them")
      return 2
    }
    var arguments = Arguments(Array(words.dropFirst()))
    if arguments.flag("--help") || arguments.flag("-h") {
      print(command.help)
      return 0
    }
    do {
      return try command.run(arguments)
    } catch let error as UsageError {
      complain("lossref \(name): \(error.message); `lossref \(name) --help` explains it")
      return 2
    } catch {
      complain("lossref \(name): \(error)")
      return 2
    }
  }

  private static var help: String {
    let width = commands.map { $0.name.count }.max() ?? 0
    let lines = commands.map { command in
      let gap = String(repeating: " ", count: width - command.name.count + 2)
      return "  \(command.name)\(gap)\(command.abstract)"
    }
    return """
      usage: lossref SUBCOMMAND [ARGUMENT ...]

      Loss functions of object detection and segmentation, as references to check against.

      \(lines.joined(separator: "\n"))

      `lossref SUBCOMMAND --help` explains a subcommand.
      """
  }

  /// Writes a line on standard error.
  static func complain(_ message: String) {
    let line = message + "\n"
    _ = line.withCString { write(2, $0, strlen($0)) }
  }
}
