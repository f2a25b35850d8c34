import Foundation
import LossDefinitions
import LossVerification
import Testing

/// The checker of chapters finds what is planted, and the package's own chapters hold.
@Suite struct ChapterTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  @Test func thePackagesChaptersHold() throws {
    let findings = try Specification(root: Self.root).findings()
    #expect(findings.isEmpty, "\(findings.map(\.description).joined(separator: "\n"))")
  }

  private static let file = "Spec/Elements/MeanSquaredError.md"

  private static let outline = """
    # Mean squared error

    The square of the difference.

    ## Definition
    ## Reference

    <!-- generated: reference -->
    <!-- end -->

    ## Gradient
    ## Edges
    ## Dialects

    <!-- generated: dialects -->
    <!-- end -->

    ## Laws

    <!-- generated: laws -->
    <!-- end -->

    ## Example

    ```example
    loss: mse
    prediction: 1.5
    target: 0.2
    value: 1.69
    gradient: 2.6
    ```

    ## Accuracy

    <!-- generated: accuracy -->
    <!-- end -->

    ## References

    """

  /// A specification of one loss that holds.
  private static func sound() throws -> Specification {
    let loss = LossSummary(MeanSquaredError.self)
    let source = try String(contentsOfFile: "\(root)/\(loss.source)", encoding: .utf8)
    let accuracy = #"""
      {"mse": {"items": 9, "value": 1.5, "gradient": 0, "valueDouble": 1.234, "gradientDouble": 0}}
      """#
    var specification = Specification(
      files: [
        file: outline, loss.source: source, "Spec/accuracy.json": accuracy,
        "Spec/README.md": "# Index\n\n<!-- generated: index -->\n<!-- end -->\n",
        "README.md": "# Losses\n\n<!-- generated: losses -->\n<!-- end -->\n",
      ], losses: [loss])
    specification.files.merge(specification.updated()) { $1 }
    return specification
  }

  @Test func whatIsUpdatedHolds() throws {
    let sound = try Self.sound()
    #expect(sound.findings().isEmpty, "\(sound.findings())")
    #expect(sound.updated().isEmpty)
    #expect(sound.files["README.md"]?.contains("| 1.5 | 0 | 1.24 | 0 |") == true)
    #expect(
      sound.files["Spec/README.md"]?.contains(
        "| [MeanSquaredError](Elements/MeanSquaredError.md) | `mse` | The square of the difference. |"
      ) == true)
  }

  @Test func blocksAreFilledOnlyByUpdate() throws {
    var specification = try Self.sound()
    specification.files[Self.file] = Self.outline
    let messages = specification.findings().map(\.message)
    for block in ["reference", "dialects", "laws", "accuracy"] {
      #expect(messages.contains { $0.contains("generated \(block) block") }, "\(block)")
    }
  }

  @Test(arguments: [
    ("value: 1.69", "value: 1.68", "expected: 1.69"),
    ("value: 1.69", "value: 1.6901", "expected: 1.69"),
    ("gradient: 2.6", "gradient: -2.6", "expected: 2.6"),
    ("gradient: 2.6", "gradient: 2.6 0", "expected: 2.6"),
    ("loss: mse", "loss: msе", "no loss is named"),
    ("target: 0.2", "target: O.2", "not a number"),
    ("target: 0.2", "target: 0.2 1", "takes, for instance, 1 and 1"),
    ("target: 0.2\n", "", "no \"target\""),
    ("target: 0.2", "targets: 0.2", "a key and a value"),
    ("target: 0.2", "target: 0.2\ntarget: 0.2", "there twice"),
    ("target: 0.2", "target: 0.2\nsettings: gamma = 2", "no hyperparameter \"gamma\""),
    ("target: 0.2", "target: 0.2\nconfiguration: odd", "no configuration \"odd\""),
    ("let d = x - t", "let d = t - x", "reference block"),
    ("- L ≥ 0\n", "", "laws block"),
    ("| torch | `mse_loss`", "| torch | `mse`", "dialects block"),
    ("| value | 8 | 1.5", "| value | 8 | 0.5", "accuracy block"),
    ("## Edges\n", "", "## Edges"),
    ("## Edges\n", "## Edges\n## Corners\n", "## Corners"),
    ("# Mean squared error\n", "", "title"),
    ("The square of the difference.\n", "", "sentence"),
    ("<!-- generated: laws -->\n", "", "no block <!-- generated: laws -->"),
    ("```example\nloss", "```\nloss", "no example of mse"),
    ("## References\n", "## References\n[IoU](../Boxes/IoV.md)\n", "leads nowhere"),
  ])
  func aPlantedErrorIsFound(_ text: String, _ replacement: String, _ message: String) throws {
    var specification = try Self.sound()
    let chapter = try #require(specification.files[Self.file])
    #expect(chapter.contains(text))
    specification.files[Self.file] = chapter.replacing(text, with: replacement, maxReplacements: 1)
    let findings = specification.findings().filter { $0.file == Self.file }
    #expect(findings.contains { $0.message.contains(message) }, "\(findings)")
  }

  @Test func aFindingNamesTheLine() throws {
    var specification = try Self.sound()
    let chapter = try #require(specification.files[Self.file])
    let line = try #require(
      chapter.split(separator: "\n", omittingEmptySubsequences: false).firstIndex(of: "value: 1.69")
    )
    specification.files[Self.file] = chapter.replacing("value: 1.69", with: "value: 1.7")
    #expect(specification.findings().isEmpty, "1.69 is 1.7 to one decimal")
    specification.files[Self.file] = chapter.replacing("value: 1.69", with: "value: 1.70")
    #expect(specification.findings().map(\.line) == [line + 1])
  }

  @Test func aChangedSourceIsFound() throws {
    var specification = try Self.sound()
    let path = LossSummary(MeanSquaredError.self).source
    let source = try #require(specification.files[path])
    specification.files[path] = source.replacing("let d = x - t\n    return d * d", with: "x * x")
    #expect(specification.findings().contains { $0.message.contains("expected: \"    x * x\"") })
    specification.files[path] = source.replacing("// MARK: Optimized", with: "")
    #expect(specification.findings().contains { $0.file == path })
  }

  @Test func missingAndStrayChaptersAreFound() throws {
    var specification = try Self.sound()
    specification.files["Spec/Elements/Stray.md"] = specification.files[Self.file]
    #expect(specification.findings().contains { $0.file == "Spec/Elements/Stray.md" })
    specification.files[Self.file] = nil
    #expect(specification.findings().contains { $0.message == "mse has no chapter" })
  }

  @Test func tablesAreChecked() throws {
    for (path, text) in [("README.md", "1.5"), ("Spec/README.md", "difference")] {
      var specification = try Self.sound()
      specification.files[path] = specification.files[path]?.replacing(text, with: "x")
      #expect(specification.findings().contains { $0.file == path }, "\(path)")
      specification.files[path] = nil
      #expect(specification.findings().contains { $0.file == path }, "\(path)")
    }
  }

  @Test func unmeasuredAccuracyIsFound() throws {
    var specification = try Self.sound()
    let row = #"{"items": 9, "value": 1.5, "gradient": 0, "valueDouble": 0, "gradientDouble": 0}"#
    specification.files["Spec/accuracy.json"] = "{}"
    #expect(specification.findings().contains { $0.message.contains("no accuracy of mse") })
    specification.files["Spec/accuracy.json"] = #"{"no loss": \#(row)}"#
    #expect(specification.findings().contains { $0.message.contains("named \"no loss\"") })
    specification.files["Spec/accuracy.json"] = #"{"mse": \#(row.replacing("1.5", with: "8.5"))}"#
    #expect(specification.findings().contains { $0.message.contains("misses its bars") })
    specification.files["Spec/accuracy.json"] = "{"
    #expect(specification.findings().contains { $0.file == "Spec/accuracy.json" })
  }
}
