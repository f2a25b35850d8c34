import LossDefinitions
import Testing

/// Seeded head outputs: pinned, and as awkward as they promise.
@Suite struct SyntheticBatchTests {
  private static let small = SyntheticBatch(
    seed: 1, side: 160, images: 12, classes: 5, truths: 0...60)

  @Test func theSeedIsTheFile() {
    let outputs = Self.small.outputs()
    var sum = Checksum()
    for truths in outputs.truths {
      for box in truths.boxes { for x in [box.x1, box.y1, box.x2, box.y2] { sum.add(Float(x)) } }
      for label in truths.labels { sum.add(Float(label)) }
    }
    for head in [outputs.distances, outputs.boxes, outputs.scores] {
      for x in head.data { sum.add(x) }
    }
    #expect(sum.hash == 5_094_023_784_221_660_895)
    #expect(outputs.boxes.shape == [12, 64, 525])
    #expect(outputs.scores.shape == [12, 5, 525])
  }

  @Test func everyKindOfTruthOccurs() {
    let (batch, outputs) = (Self.small, Self.small.outputs())
    let kinds = Set(outputs.kinds.joined())
    #expect(kinds == Set(SyntheticBatch.Kind.allCases))
    #expect(outputs.truths.contains { $0.boxes.isEmpty })
    #expect(outputs.truths.allSatisfy { $0.boxes.count <= 60 })
    for (truths, kinds) in zip(outputs.truths, outputs.kinds) {
      for (i, (box, kind)) in zip(truths.boxes, kinds).enumerated() {
        let isInside =
          box.x1 >= 0 && box.y1 >= 0 && box.x2 <= Double(batch.width)
          && box.y2 <= Double(batch.height)
        switch kind {
        case .border: #expect(!isInside)
        case .degenerate: #expect((box.x2 - box.x1) * (box.y2 - box.y1) == 0)
        case .tiny: #expect(box.x2 - box.x1 <= 8 && box.y2 - box.y1 <= 8)
        case .duplicate:
          #expect(
            truths.boxes.indices.contains {
              $0 != i && truths.boxes[$0] == box && truths.labels[$0] == truths.labels[i]
            })
        case .plain, .crowded: #expect(box.x2 >= box.x1 && box.y2 >= box.y1)
        }
        #expect((0..<batch.classes).contains(truths.labels[i]))
      }
    }
  }

  @Test func anImageDoesNotDependOnTheOthers() {
    let outputs = Self.small.outputs()
    let alone = Self.small.image(7)
    #expect(outputs.truths[7] == alone.truths)
    #expect(outputs.scores.image(7).data == alone.scores)
    #expect(outputs.boxes.image(7).data == alone.boxes)
  }

  /// Distributions peak at the distance that they are made from, which follows the truths; logits are
  /// mostly about −5.
  @Test func predictionsAreThoseOfAHalfTrainedDetector() {
    let batch = Self.small
    var (near, all) = (0, 0)
    for index in 0..<batch.images {
      let image = batch.image(index)
      let anchors = batch.points.count
      for side in 0..<4 {
        for a in 0..<anchors {
          let bins = (0..<batch.bins).map { image.boxes[(side * batch.bins + $0) * anchors + a] }
          let peak = bins.indices.max { bins[$0] < bins[$1] } ?? 0
          all += 1
          if (Float(peak) - image.distances[side * anchors + a]).magnitude <= 1 { near += 1 }
        }
      }
      let low = image.scores.count { (-7...(-3)).contains($0) }
      #expect(Double(low) > 0.85 * Double(image.scores.count))
      if image.truths.boxes.count > 10 { #expect((image.scores.max() ?? -5) > 0) }
    }
    #expect(Double(near) > 0.99 * Double(all))
  }

  @Test func fullSizeHasTheAnchorsOfYOLO() {
    var batch = SyntheticBatch(seed: 3)
    #expect(batch.points.count == 8400)
    batch.truths = 20...20
    let image = batch.image(15)
    #expect(image.truths.boxes.count == 20)
    #expect(image.boxes.count == 64 * 8400)
    #expect(image.scores.count == 80 * 8400)
  }
}

/// FNV-1a over the bits of numbers.
private struct Checksum {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ x: Float) {
    hash = (hash ^ UInt64(x.bitPattern)) &* 0x0000_0100_0000_01b3
  }
}
