extension YOLOv3GIoU {
  /// Every prior in the centre's cell whose IoU with a truth is large enough is the truth's, on every
  /// scale; a truth without any gets the one prior of all scales with the largest IoU. Later truths
  /// take slots over.
  public func decide(_ heads: [Tensor], _ truths: Truths) -> [GridLabels] {
    let heads = gridHeads(heads)
    var labels = unlabelled(heads)
    for (image, truths) in truths.enumerated() {
      var kept = heads.map { _ in 0 }
      for (i, truth) in truths.boxes.enumerated() {
        let box = centered(truth)
        let overlaps = heads.indices.map { priorOverlaps(box, $0) }
        var claims: [(scale: Int, priors: [Int], clip: Int)] = []
        for l in heads.indices {
          let priors = overlaps[l].indices.filter { overlaps[l][$0] > positiveThreshold }
          if !priors.isEmpty { claims.append((l, priors, l)) }
        }
        if claims.isEmpty {
          let (scale, prior) = largest(overlaps)
          let clip = clipsFallbackToLastScale ? heads.count - 1 : scale
          claims = [(scale, [prior], clip)]
        }
        for (l, priors, clip) in claims {
          for prior in priors {
            labels[l].claim(
              slot(box, prior, image: image, in: heads[l], clippedTo: heads[clip].grid),
              image: image, truth: i, label: truths.labels[i], addingClasses: false)
          }
          // The ring's next place; the first again once it is full.
          if labels[l].compared[image].count < ringSize {
            labels[l].compared[image].append(i)
          } else {
            labels[l].compared[image][kept[l] % ringSize] = i
          }
          kept[l] += 1
        }
      }
    }
    for (l, head) in heads.enumerated() {
      labels[l].markOverlaps(
        head, truth: { centered(truths[$0].boxes[$1]) }, where: { $0 >= ignoreThreshold })
    }
    return labels
  }

  /// The IoUs of a truth with the priors of a scale about the middle of its cell, in cells.
  func priorOverlaps(_ truth: CenteredBox<Double>, _ scale: Int) -> [Double] {
    let s = strides[scale]
    let box = CenteredBox(
      cx: truth.cx / s, cy: truth.cy / s, w: truth.w / s, h: truth.h / s)
    return anchors[scale].map { anchor in
      let prior = CenteredBox(
        cx: box.cx.rounded(.down) + 0.5, cy: box.cy.rounded(.down) + 0.5, w: anchor.width,
        h: anchor.height)
      let overlap = box.corners.intersection(prior.corners)
      let union = box.w * box.h + anchor.width * anchor.height - overlap
      return overlap / (union + epsilon)
    }
  }

  /// The scale and the prior of the largest overlap; the first of equals.
  private func largest(_ overlaps: [[Double]]) -> (scale: Int, prior: Int) {
    var best = (scale: 0, prior: 0)
    for (scale, row) in overlaps.enumerated() {
      for (prior, overlap) in row.enumerated() where overlap > overlaps[best.scale][best.prior] {
        best = (scale, prior)
      }
    }
    return best
  }

  /// The slot of a prior in the centre's cell, moved into a grid.
  private func slot(
    _ box: CenteredBox<Double>, _ prior: Int, image: Int, in head: GridHead<Double>,
    clippedTo grid: Grid
  ) -> Int {
    func clipped(_ x: Double, _ count: Int) -> Int {
      Int(Swift.max(0, Swift.min(Double(count - 1), (x / head.level.stride).rounded(.down))))
    }
    return head.grid.slot(
      image: image, row: clipped(box.cy, Swift.min(grid.rows, head.grid.rows)),
      column: clipped(box.cx, Swift.min(grid.columns, head.grid.columns)), prior: prior)
  }
}

extension Box {
  /// x1, y1, x2, y2.
  var flat: [Number] { [x1, y1, x2, y2] }
}

extension ObjectiveLaw<YOLOv3GIoU> {
  /// Of all boxes the truth itself costs least: its union's epsilon is left.
  static var boxMinimum: Self {
    Self("giou ≥ Σ (2 − w h) ε / (area + ε), the cost of the truths themselves") {
      objective, scene, answers in
      var least: Interval<DoubleDouble> = 0
      let ε = Interval<DoubleDouble>(objective.epsilon)
      for (head, target, _) in objective.positives(scene) {
        let box: CenteredBox<Interval<DoubleDouble>> = target.box.map { Interval<DoubleDouble>($0) }
        let share = Interval<DoubleDouble>(target.scale / objective.divisor(head.grid))
        least = least + share * ε / (box.w * box.h + ε)
      }
      return .atLeast(try answers.terms(objective, scene)[0], least)
    }
  }

  /// A cross-entropy with a smoothed label t is at least H(t).
  static var classEntropy: Self {
    Self("prob ≥ Σ H(label), the entropies of the smoothed labels") { objective, scene, answers in
      var least: Interval<DoubleDouble> = 0
      for (head, _, positive) in objective.positives(scene) {
        let classes = head.grid.classes
        let entropies = (0..<classes).map {
          Interval<DoubleDouble>.entropy(of: objective.probability($0, positive, classes))
        }
        least = least + .sum(entropies) / Interval(objective.divisor(head.grid))
      }
      return .atLeast(try answers.terms(objective, scene)[2], least)
    }
  }
}

extension YOLOv3GIoU {
  /// Every positive with its head and what is asked of it.
  fileprivate func positives(
    _ scene: Scene<Truths>
  ) -> [(GridHead<Double>, GridTarget, GridLabels.Positive)] {
    zip(gridHeads(scene.heads), decide(scene.heads, scene.truths)).flatMap { head, labels in
      labels.positives.map { (head, target($0, scene.truths, head.grid, head.level), $0) }
    }
  }
}
