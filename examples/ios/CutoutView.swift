// A minimal view: choose a photo, see its cut-out, share it. iOS 16 and later.

import PhotosUI
import SwiftUI

@main
struct CutoutApp: App {
    var body: some Scene {
        WindowGroup { CutoutView() }
    }
}

struct CutoutView: View {
    @State private var choice: PhotosPickerItem?
    @State private var cutout: UIImage?
    @State private var message = "Choose a photo of an animal."
    @State private var isBusy = false

    var body: some View {
        VStack(spacing: 16) {
            if let cutout {
                Image(uiImage: cutout)
                    .resizable()
                    .scaledToFit()
                    .background(Color.green.opacity(0.3))
                    .accessibilityLabel("The animal, cut out")
                ShareLink(
                    item: Image(uiImage: cutout),
                    preview: SharePreview("Cut-out", image: Image(uiImage: cutout))
                )
            } else if isBusy {
                ProgressView("Cutting out…")
            } else {
                Text(message)
            }
            PhotosPicker("Choose a photo", selection: $choice, matching: .images)
                .buttonStyle(.borderedProminent)
                .disabled(isBusy)
        }
        .padding()
        .onChange(of: choice) { chosen in
            guard let chosen else { return }
            Task { await show(chosen) }
        }
    }

    private func show(_ item: PhotosPickerItem) async {
        isBusy = true
        cutout = nil
        defer { isBusy = false }
        do {
            guard let data = try await item.loadTransferable(type: Data.self),
                let photo = UIImage(data: data)
            else { throw CutoutError.photoCannotBeRead }
            cutout = try await Task.detached { try Shared.cutout.get().cutOut(photo) }.value
        } catch {
            message = "That did not work: \(error)"
        }
    }
}

/// The model, loaded at its first use and kept.
enum Shared {
    static let cutout = Result { try Cutout() }
}
