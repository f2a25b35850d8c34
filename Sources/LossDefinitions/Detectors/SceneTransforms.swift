// Scenes whose heads all begin with the axis of the images, one after the other: what laws do to them.

extension Scene where Truths == [ImageTruths] {
  /// Each image alone, as a batch of one.
  public var images: [Scene] {
    truths.indices.map { image in
      Scene(heads.map { $0.image(image) }, [truths[image]])
    }
  }

  /// The images in the opposite order.
  public var reversed: Scene {
    Scene(heads.map { Tensor.images(($0.images).reversed(), like: $0) }, truths.reversed())
  }

  /// The batch, followed by itself.
  public var doubled: Scene {
    Scene(heads.map { Tensor.images($0.images + $0.images, like: $0) }, truths + truths)
  }

  /// Each image's truths in the opposite order.
  public var withReversedTruths: Scene {
    Scene(heads, truths.map { ImageTruths($0.boxes.reversed(), labels: $0.labels.reversed()) })
  }
}

extension Shaped {
  /// One image of a head, with the axis of the images kept.
  public func image(_ image: Int) -> Shaped {
    let each = shape.dropFirst().reduce(1, *)
    return Shaped([1] + shape.dropFirst(), Array(data[image * each..<(image + 1) * each]))
  }

  var images: [Shaped] { (0..<shape[0]).map { image($0) } }

  /// Images one after the other; the further extents are those of `head`.
  static func images(_ images: [Shaped], like head: Shaped) -> Shaped {
    Shaped([images.count] + head.shape.dropFirst(), images.flatMap(\.data))
  }
}
