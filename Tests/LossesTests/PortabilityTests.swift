import Foundation
import Testing

/// What compiles here and not elsewhere: macOS and arm64 are not built by these tests.
@Suite struct PortabilityTests {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func sources(in folder: String) throws -> [(path: String, text: String)] {
    let base = root.appendingPathComponent(folder)
    let files = try #require(
      FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil))
    return try files.compactMap { $0 as? URL }
      .filter { ["swift", "h", "c"].contains($0.pathExtension) }
      .map { ($0.path, try String(contentsOf: $0, encoding: .utf8)) }
  }

  /// Words of newer systems: they would raise the deployment target on Apple's.
  @Test(arguments: ["InlineArray", "UTF8Span", "Mutex<", "Atomic<", "Int128", ".mutableSpan }"])
  func newerSystemsAreNotNeeded(_ word: String) throws {
    let files = try Self.sources(in: "Sources")
    #expect(files.count > 20)
    for file in files { #expect(!file.text.contains(word), "\(file.path)") }
  }

  /// Scalar loops in disguise, inside what should be vectors.
  @Test(arguments: ["pointwiseMin", "pointwiseMax", ".squareRoot()", ".addingProduct("])
  func kernelsHoldNoHiddenLoops(_ word: String) throws {
    for folder in ["Lanes", "Boxes", "Elements", "Classes", "Regions"] {
      for file in try Self.sources(in: "Sources/LossDefinitions/\(folder)") {
        #expect(!file.text.contains(word), "\(file.path)")
      }
    }
  }

  /// The library needs the C library alone.
  @Test func theLibraryDoesNotImportFoundation() throws {
    for folder in ["Sources/LossDefinitions", "Sources/Losses"] {
      for file in try Self.sources(in: folder) {
        #expect(!file.text.contains("import Foundation"), "\(file.path)")
      }
    }
  }

  /// C contracts a * b + c where Swift does not: no C statement may hold both.
  @Test func theHeaderHoldsNoContraction() throws {
    let files = try Self.sources(in: "Sources/CLanes")
    #expect(!files.isEmpty)
    for file in files {
      for statement in file.text.split(separator: ";") {
        let code = statement.split(separator: "\n").filter {
          !$0.hasPrefix("//") && !$0.hasPrefix("#")
        }
        .joined().replacingOccurrences(of: "/*", with: "").replacingOccurrences(of: "*/", with: "")
        let multiplies = code.contains(" * ")
        let adds = code.contains(" + ") || code.contains(" - ")
        #expect(!(multiplies && adds), "\(file.path): \(statement)")
      }
    }
  }
}
