//! An empty window of the same library: what `app_figures.sh` compares the app's memory with.

fn main() -> eframe::Result {
    // `cargo bench` runs every bench: a window is opened only when the script asks for it.
    if std::env::var_os("DUPLEX_BARE_WINDOW").is_none() {
        return Ok(());
    }
    let viewport = egui::ViewportBuilder::default().with_inner_size([1280.0, 800.0]);
    let options = eframe::NativeOptions { viewport, ..Default::default() };
    eframe::run_native("bare", options, Box::new(|_| Ok(Box::new(Bare))))
}

struct Bare;

impl eframe::App for Bare {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        ui.label("bare");
    }
}
