//! Charts: what is shown, as data, and how each form is drawn from it.

mod axes;
pub(crate) mod bars;
pub(crate) mod carpet;
pub(crate) mod courses;
pub(crate) mod heat;
pub(crate) mod stack;

use crate::{
    data::Data,
    drawing::{Drawing, near},
    ink::Ink,
};
use bars::Bars;
use carpet::Carpet;
use courses::{Course, Courses};
use heat::Heat;
use stack::Stack;

/// A picture of some of the data, with its words.
pub(crate) struct Chart {
    /// Name of its files and of its place on the page.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What is seen in it, in a sentence made from the numbers.
    pub says: String,
    /// Unit of the values.
    pub unit: String,
    /// A query over the tables that gives its numbers.
    pub query: String,
    /// The data, and how they are drawn.
    pub form: Form,
}

/// How data are drawn.
pub(crate) enum Form {
    /// Lines over time.
    Courses(Courses),
    /// Layers over time that add up.
    Stack(Stack),
    /// Bars, of parts that add up.
    Bars(Bars),
    /// A table of colours.
    Heat(Heat),
    /// A row a car.
    Carpet(Carpet),
}

/// Size of a picture and of its letters, in one unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Width of all.
    pub width: f64,
    /// Height of all.
    pub height: f64,
    /// Height of letters.
    pub letters: f64,
    /// Where it is seen.
    pub ink: Ink,
}

/// Points of type in a millimetre.
const POINTS: f64 = 72.0 / 25.4;

impl Frame {
    /// On a page.
    pub(crate) const PAGE: Self =
        Self { width: 920.0, height: 300.0, letters: 12.0, ink: Ink::Page };

    /// For print: `width` in millimetres, letters of 7 points.
    pub(crate) fn of_millimetres(width: f64) -> Self {
        let width = width * POINTS;
        let height = (0.45 * width).clamp(150.0, 240.0);
        Self { width, height, letters: 7.0, ink: Ink::Paper }
    }
}

impl Chart {
    /// Draws it.
    pub(crate) fn svg(&self, frame: Frame) -> String {
        let height = self.form.height(frame);
        let mut drawing = Drawing::new(frame.width, height, frame.ink);
        let frame = Frame { height, ..frame };
        match &self.form {
            Form::Courses(courses) => courses.draw(&mut drawing, frame, &self.unit),
            Form::Stack(stack) => stack.draw(&mut drawing, frame, &self.unit),
            Form::Bars(bars) => bars.draw(&mut drawing, frame, &self.unit),
            Form::Heat(heat) => heat.draw(&mut drawing, frame),
            Form::Carpet(carpet) => carpet.draw(&mut drawing, frame),
        }
        drawing.finish(&self.title, &self.says)
    }

    /// As a file of its own, so many millimetres wide.
    pub(crate) fn figure(&self, millimetres: f64) -> String {
        let frame = Frame::of_millimetres(millimetres);
        let height = near(self.form.height(frame) / POINTS);
        let size = format!("<svg width=\"{millimetres}mm\" height=\"{height}mm\" ");
        self.svg(frame).replacen("<svg ", &size, 1)
    }

    /// The lines over time that it is made of; none where it is more than lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Course> {
        let lines = match &self.form {
            Form::Courses(courses) if courses.areas.is_empty() => courses.lines.as_slice(),
            Form::Courses(_) | Form::Stack(_) | Form::Bars(_) | Form::Heat(_) | Form::Carpet(_) => {
                &[]
            }
        };
        lines.iter()
    }

    /// Its data.
    pub(crate) fn data(&self) -> Data {
        match &self.form {
            Form::Courses(courses) => courses.data(),
            Form::Stack(stack) => stack.data(),
            Form::Bars(bars) => bars.data(),
            Form::Heat(heat) => heat.data(),
            Form::Carpet(carpet) => carpet.data(),
        }
    }
}

impl Form {
    /// Bars and rows take the height that they need; others the frame's.
    fn height(&self, frame: Frame) -> f64 {
        match self {
            Self::Courses(_) | Self::Stack(_) => frame.height,
            Self::Bars(bars) => bars.height(frame),
            Self::Heat(heat) => heat.height(frame),
            Self::Carpet(carpet) => carpet.height(frame),
        }
    }
}
