//! A picture to draw on: rectangles, lines, areas, letters.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PremultipliedColorU8, Rect, Stroke,
    Transform,
};

use crate::{Color, Error, SIDE_MAX};

pub const BLACK: Color = Color(0x16, 0x19, 0x1f);
pub const GREY: Color = Color(0x54, 0x5b, 0x64);
pub const FAINT: Color = Color(0xe0, 0xe4, 0xe8);
const WHITE: Color = Color(0xff, 0xff, 0xff);

/// Stands for letters that the font hasn't.
const NO_LETTER: char = '?';
/// A letter's height and width, pixels.
pub const LETTER_HEIGHT: f32 = 16.0;
pub const LETTER_WIDTH: f32 = get_raster_width(FontWeight::Regular, RasterHeight::Size16) as f32;

pub struct Canvas {
    pixels: Pixmap,
}

impl Canvas {
    /// A white picture; `None` if it is too large or empty.
    pub fn new(width: u32, height: u32) -> Option<Canvas> {
        if width > SIDE_MAX || height > SIDE_MAX {
            return None;
        }
        let mut pixels = Pixmap::new(width, height)?;
        pixels.fill(paint_color(WHITE, 255));
        Some(Canvas { pixels })
    }

    /// Fills a rectangle of whole pixels; `opacity` goes to 255.
    pub fn rectangle(&mut self, left: f32, top: f32, right: f32, bottom: f32, color: Color, opacity: u8) {
        let rect = Rect::from_ltrb(left.round(), top.round(), right.round(), bottom.round());
        if let Some(rect) = rect {
            self.pixels.fill_rect(rect, &paint(color, opacity, false), Transform::identity(), None);
        }
    }

    /// A line of whole pixels, one of them wide.
    pub fn rule(&mut self, from: (f32, f32), to: (f32, f32), color: Color) {
        if from.0 == to.0 {
            self.rectangle(from.0, from.1.min(to.1), from.0 + 1.0, from.1.max(to.1), color, 255);
        } else {
            self.rectangle(from.0.min(to.0), from.1, from.0.max(to.0), from.1 + 1.0, color, 255);
        }
    }

    /// Joins points by lines; a single one is a dot.
    pub fn line(&mut self, points: &[(f32, f32)], color: Color, width: f32) {
        if let [(x, y)] = points {
            if let Some(dot) = PathBuilder::from_circle(*x, *y, width) {
                self.fill(&dot, color, 255);
            }
            return;
        }
        let Some(path) = path(points, false) else { return };
        let stroke =
            Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint(color, 255, true), &stroke, Transform::identity(), None);
    }

    /// Fills what points enclose.
    pub fn area(&mut self, points: &[(f32, f32)], color: Color, opacity: u8) {
        if let Some(path) = path(points, true) {
            self.fill(&path, color, opacity);
        }
    }

    fn fill(&mut self, path: &Path, color: Color, opacity: u8) {
        let paint = paint(color, opacity, true);
        self.pixels.fill_path(path, &paint, FillRule::Winding, Transform::identity(), None);
    }

    /// Writes a line of letters whose upper left corner is here, `scale` times as large.
    pub fn text(&mut self, text: &str, left: f32, top: f32, color: Color, scale: u32) {
        let mut x = left.round();
        for letter in text.chars() {
            if x >= self.pixels.width() as f32 {
                return;
            }
            self.letter(letter, x as i32, top.round() as i32, color, scale);
            x += LETTER_WIDTH * scale as f32;
        }
    }

    fn letter(&mut self, letter: char, left: i32, top: i32, color: Color, scale: u32) {
        let raster = |letter| get_raster(letter, FontWeight::Regular, RasterHeight::Size16);
        let Some(raster) = raster(letter).or_else(|| raster(NO_LETTER)) else { return };
        let scale = scale as i32;
        for (row, line) in raster.rows().enumerate() {
            for (column, strength) in line.iter().enumerate().filter(|(_, strength)| **strength > 0) {
                for step in 0..scale * scale {
                    let (x, y) = (column as i32 * scale + step % scale, row as i32 * scale + step / scale);
                    self.blend(left + x, top + y, color, *strength);
                }
            }
        }
    }

    /// Lays a colour over a pixel that is there.
    fn blend(&mut self, x: i32, y: i32, color: Color, strength: u8) {
        let (width, height) = (self.pixels.width() as i32, self.pixels.height() as i32);
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let pixel = &mut self.pixels.pixels_mut()[(y * width + x) as usize];
        let mix = |under: u8, over: u8| {
            let strength = u32::from(strength);
            ((u32::from(under) * (255 - strength) + u32::from(over) * strength + 127) / 255) as u8
        };
        let (red, green, blue) =
            (mix(pixel.red(), color.0), mix(pixel.green(), color.1), mix(pixel.blue(), color.2));
        // The picture has no transparent pixels, so no part is above the whole.
        if let Some(mixed) = PremultipliedColorU8::from_rgba(red, green, blue, 255) {
            *pixel = mixed;
        }
    }

    pub fn encode(self) -> Result<Vec<u8>, Error> {
        self.pixels.encode_png().map_err(|error| Error::Encoding(error.to_string()))
    }
}

/// A text's width, pixels.
pub fn width_of(text: &str, scale: u32) -> f32 {
    text.chars().count() as f32 * LETTER_WIDTH * scale as f32
}

/// A text that is no wider than this, its end cut off if need be.
pub fn fitting(text: &str, width: f32) -> String {
    let most = (width / LETTER_WIDTH).max(0.0) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(2)).collect();
    if most > 2 { format!("{kept}..") } else { kept }
}

fn path(points: &[(f32, f32)], is_closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let (first, rest) = points.split_first()?;
    builder.move_to(first.0, first.1);
    rest.iter().for_each(|(x, y)| builder.line_to(*x, *y));
    if is_closed {
        builder.close();
    }
    builder.finish()
}

fn paint(color: Color, opacity: u8, is_smooth: bool) -> Paint<'static> {
    let mut paint = Paint { anti_alias: is_smooth, ..Paint::default() };
    paint.set_color(paint_color(color, opacity));
    paint
}

fn paint_color(color: Color, opacity: u8) -> tiny_skia::Color {
    tiny_skia::Color::from_rgba8(color.0, color.1, color.2, opacity)
}
