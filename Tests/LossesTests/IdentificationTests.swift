import LossDefinitions
import LossVerification
import Testing

@Suite struct IdentificationTests {
  private func identify(
    _ loss: String, _ implementation: Shipped, _ format: Format = .f32, confirming: Int = 20
  ) throws -> IdentificationReport {
    var identification = Identification()
    identification.loss = loss
    identification.format = format
    identification.confirming = confirming
    var implementation = implementation
    return try identification.run(&implementation)
  }

  private func names(_ report: IdentificationReport) -> [String] { report.names.map(\.text) }

  // MARK: Frameworks' losses of boxes

  @Test func generalizedIoU() throws {
    for (formula, name, verdict) in [
      (
        FrameworkFormulas.torchvisionGIoU(1e-7), "torchvision/generalized_box_iou_loss eps=1e-07",
        IdentificationReport.Verdict.one
      ),
      (
        FrameworkFormulas.torchvisionGIoU(1e-9), "torchvision/generalized_box_iou_loss eps=1e-09",
        .one
      ),
      (FrameworkFormulas.ultralyticsGIoU, "1 - ultralytics/bbox_iou_GIoU eps=1e-07", .one),
      (FrameworkFormulas.mmdetGIoU, "mmdet/giou_loss eps=1e-07", .one),
    ] {
      let report = try identify("giou", Shipped(formula))
      #expect(report.verdict == verdict, "\(name): \(report.reason)")
      #expect(names(report).first == name, "\(names(report))")
    }
  }

  @Test func completeIoU() throws {
    for (formula, name) in [
      (FrameworkFormulas.ultralyticsCIoU, "1 - ultralytics/bbox_iou_CIoU eps=1e-07"),
      (FrameworkFormulas.mmdetCIoU, "mmdet/ciou_loss eps=1e-07"),
      (FrameworkFormulas.kerasCIoU, "keras/compute_ciou epsilon=1e-07"),
    ] {
      let report = try identify("ciou", Shipped(formula))
      #expect(report.exitStatus(faults: 0) == 0, "\(name): \(report.reason)")
      #expect(names(report).first == name, "\(names(report))")
    }
  }

  /// The epsilon of α alone is below what Float resolves: all its small values are left, with the
  /// place where they differ most.
  @Test func whatFloatDoesNotTellApart() throws {
    let report = try identify("ciou", Shipped(FrameworkFormulas.torchvisionCIoU(1e-7)))
    #expect(report.verdict == .several)
    #expect(report.names.first?.text == "torchvision/complete_box_iou_loss eps=1e-07")
    #expect(report.names.first?.isDefault == true)
    #expect(names(report).contains("torchvision/complete_box_iou_loss eps=1e-09"))
    #expect(!names(report).contains("torchvision/complete_box_iou_loss eps=0.001"))
    #expect(report.reason.contains("binary32"), "\(report.reason)")
    let overlap = try #require(report.overlap)
    #expect(overlap.share > 0 && overlap.share < 1)
    #expect(overlap.truths.0 != overlap.truths.1)
  }

  // MARK: Other families

  @Test func elements() throws {
    let focal = try identify("focal", Shipped(Focal(alpha: 0.75, gamma: 1.5)))
    #expect(focal.verdict == .one, "\(focal.reason)")
    #expect(names(focal).contains("torchvision/sigmoid_focal_loss alpha=0.75 gamma=1.5"))
    #expect(names(focal).contains("optax/sigmoid_focal_loss alpha=0.75 gamma=1.5"))

    let smooth = try identify("smooth_l1", Shipped(SmoothL1(beta: 1.0 / 9)))
    #expect(names(smooth).first == "torch/smooth_l1_loss beta=0.1111111111111111")

    let logits = try identify("bce", Shipped(BinaryCrossEntropy(labelSmoothing: 0.1)))
    #expect(logits.verdict == .one)
    #expect(names(logits).contains("native labelSmoothing=0.1"), "\(names(logits))")
  }

  @Test func regions() throws {
    let dice = try identify("dice", Shipped(Dice(smooth: 0, epsilon: 1e-7)), confirming: 30)
    #expect(dice.verdict == .one, "\(dice.reason)")
    #expect(dice.names.first?.text == "keras/Dice epsilon=1e-07")
    let squared = try identify("dice", Shipped(Dice(.squared, smooth: 1)), confirming: 30)
    #expect(names(squared).contains("native form=squared"), "\(names(squared))")
  }

  // MARK: What is not known

  @Test func aMutantIsNoneAndItsNearestIsNamed() throws {
    let report = try identify(
      "giou",
      Shipped { p, t in
        let right = FrameworkFormulas.torchvisionGIoU(1e-7)(p, t)
        // Wrong where the boxes are apart.
        return right.value > 1 ? right * 1.001 : right
      })
    #expect(report.verdict == .none)
    #expect(report.exitStatus(faults: 0) == 1)
    #expect(report.nearest.first?.text == "torchvision/generalized_box_iou_loss eps=1e-07")
    #expect(report.inside > 0 && report.inside < report.numbers)
    let difference = try #require(report.difference)
    #expect(difference.quantity == 0)
    #expect(difference.reading.placement == .outside)
    let size = difference.item.prediction + difference.item.target
    #expect(
      size.allSatisfy { $0.magnitude <= 1024 && $0 * 1024 == ($0 * 1024).rounded() }, "\(size)")

    // What the replay line asks.
    var identification = Identification()
    identification.loss = "giou"
    identification.onlyItem = difference.item
    var again = Shipped { p, t in FrameworkFormulas.torchvisionGIoU(1e-7)(p, t) * 1.001 }
    let replay = try identification.run(&again)
    #expect(replay.verdict == .none && replay.items == 1)
  }

  @Test func numbersThatAreNoneDecideNothing() throws {
    let report = try identify(
      "giou",
      Shipped { p, t in
        let right = FrameworkFormulas.torchvisionGIoU(1e-7)(p, t)
        return p.x1.value == t.x1.value ? Slope(.nan) : right
      })
    #expect(report.names.first?.text == "torchvision/generalized_box_iou_loss eps=1e-07")
    #expect(report.undefined > 0)
    #expect(report.notes.contains { $0.contains("not finite") }, "\(report.notes)")

    let nothing = try identify("giou", Shipped { _, _ in Slope(.nan) })
    #expect(nothing.verdict == .undecided)
    #expect(nothing.exitStatus(faults: 0) == 4)
    let refused = try identify("giou", Shipped(answer: { _ in .rejected("not today") }))
    #expect(refused.verdict == .undecided && refused.reason.contains("not today"))
    let failed = try identify("giou", Shipped(answer: { _ in .failed("out of memory") }))
    #expect(failed.verdict == .failed && failed.exitStatus(faults: 0) == 3)
  }

  @Test func whatItIsAskedFor() throws {
    var implementation = Shipped(FrameworkFormulas.torchvisionGIoU(1e-7))
    var identification = Identification()
    identification.loss = "giou"
    identification.confirming = 20
    _ = try identification.run(&implementation)
    let shipped = try #require(implementation.selections.first)
    #expect(shipped.dialect == "shipped" && shipped.parameters.isEmpty)

    implementation.unknown = ["shipped"]
    let native = try identification.run(&implementation)
    #expect(native.selection.dialect == "native" && native.verdict == .one)
    #expect(native.notes.contains { $0.contains("no shipped") }, "\(native.notes)")

    implementation.unknown = ["shipped", "native"]
    let nothing = try identification.run(&implementation)
    #expect(nothing.verdict == .unsupported && nothing.exitStatus(faults: 0) == 3)

    identification.loss = "nothing"
    #expect(throws: Conformance.Unaskable.self) { try identification.run(&implementation) }
  }

  @Test(.enabled(if: Programs.hasPython, "python3 is not in PATH"))
  func aProgramThatEndsFails() {
    var identification = Identification()
    identification.loss = "giou"
    var program = Program(
      ["python3", Programs.path("Tests/Programs/misbehaving.py"), "dies"], timeLimit: 20)
    #expect(throws: ImplementationFailure.self) { try identification.run(&program) }
  }

  @Test func theReportAsJSON() throws {
    let report = try identify("giou", Shipped(FrameworkFormulas.torchvisionGIoU(1e-7)))
    let json = try JSON(report.json.description)
    #expect(json["verdict"] == .text("one"))
    guard case .list(let names)? = json["names"] else {
      Issue.record("no names")
      return
    }
    #expect(names.first?["name"] == .text("torchvision/generalized_box_iou_loss eps=1e-07"))
    #expect(names.first?["default"] == .flag(true))
  }
}
