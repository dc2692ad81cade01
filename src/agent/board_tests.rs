//! Boards as the kernel shows them, sound and damaged.

use super::*;

const PI_3: &[(&str, &str)] = &[
    ("proc/device-tree/model", "Raspberry Pi 3 Model B Plus Rev 1.3\0"),
    ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n"),
    ("sys/class/thermal/thermal_zone0/temp", "53692\n"),
    ("sys/class/hwmon/hwmon0/name", "cpu_thermal\n"),
    ("sys/class/hwmon/hwmon0/temp1_input", "53692\n"),
    ("sys/class/hwmon/hwmon1/name", "rpi_volt\n"),
    ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n"),
    // Beside hwmon it is not read.
    ("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n"),
    (
        "sys/block/mmcblk0/stat",
        "   9843  3291 862834 53427  4096  7411  204800 91234 0 71230 144661 0 0 0 0 0 0\n",
    ),
    ("sys/block/mmcblk0/device/type", "SD\n"),
    ("sys/block/loop0/stat", "0 0 0 0 0 0 0 0 0 0 0\n"),
];
const PI_4: &[(&str, &str)] = &[
    ("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0"),
    ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n"),
    ("sys/class/thermal/thermal_zone0/temp", "41868\n"),
    ("sys/devices/platform/soc/soc:firmware/get_throttled", "d0008\n"),
    ("sys/block/mmcblk0/device/life_time", "0x01 0x03\n"),
    ("sys/block/mmcblk0/device/pre_eol_info", "0x01\n"),
    ("sys/block/mmcblk0boot0/device/life_time", "0x01 0x03\n"),
    (
        "proc/net/wireless",
        "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n \
         face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n \
         wlan0: 0000   58.  -52.  -256        0      0      0      1      0        0\n",
    ),
];
const PI_5: &[(&str, &str)] = &[
    ("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0"),
    ("sys/class/hwmon/hwmon0/name", "cpu_thermal\n"),
    ("sys/class/hwmon/hwmon1/name", "rp1_adc\n"),
    ("sys/class/hwmon/hwmon2/name", "pwmfan\n"),
    ("sys/class/hwmon/hwmon2/fan1_input", "3054\n"),
    ("sys/class/hwmon/hwmon2/pwm1", "75\n"),
    ("sys/class/hwmon/hwmon3/name", "rpi_volt\n"),
    ("sys/class/hwmon/hwmon3/in0_lcrit_alarm", "1\n"),
];
const ZERO_2: &[(&str, &str)] = &[
    ("proc/device-tree/model", "Raspberry Pi Zero 2 W Rev 1.0\0"),
    ("sys/class/thermal/thermal_zone0/type", "bcm2835_thermal\n"),
    ("sys/class/thermal/thermal_zone0/temp", "38628\n"),
    ("sys/bus/platform/drivers/raspberrypi-firmware/soc:firmware/get_throttled", "0\n"),
    (
        "proc/net/wireless",
        "Inter-| sta-|   Quality        |\n face | tus | link level noise |\n wlan0: 0000   36.  -74.  -256  0 0 0 0 0 0\n",
    ),
];
const PC: &[(&str, &str)] = &[
    ("sys/class/thermal/thermal_zone0/type", "acpitz\n"),
    ("sys/class/thermal/thermal_zone0/temp", "27800\n"),
    ("sys/class/thermal/thermal_zone1/type", "x86_pkg_temp\n"),
    ("sys/class/thermal/thermal_zone1/temp", "45000\n"),
    ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
    ("sys/class/hwmon/hwmon0/temp1_input", "45000\n"),
    ("sys/class/hwmon/hwmon1/name", "nct6775\n"),
    ("sys/class/hwmon/hwmon1/fan1_input", "0\n"),
    ("sys/class/hwmon/hwmon1/fan2_input", "1180\n"),
    ("sys/class/hwmon/hwmon1/fan2_label", "CPU fan\n"),
    ("sys/class/hwmon/hwmon1/fan2_min", "0\n"),
    ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n"),
    ("sys/class/hwmon/hwmon2/name", "nct6775\n"),
    ("sys/class/hwmon/hwmon2/fan1_input", "640\n"),
    ("sys/block/sda/stat", "1 2 3 4 5 6 7 8 9 10 11\n"),
];

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// The model and all sensors as lines.
fn says(board: &Board) -> Vec<String> {
    let sensors = board.sensors().iter().map(|sensor| {
        let value = match &sensor.value {
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => text.to_string(),
            value => format!("{value:?}"),
        };
        format!("{:?} {} = {value}", sensor.kind, sensor.which)
    });
    board.model().into_iter().chain(sensors).collect()
}

fn of(files: &[(&str, &str)]) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), files);
    let mut board = Board::new(root.path());
    board.refresh();
    says(&board)
}

#[test]
fn each_board_says_what_it_has() {
    assert_eq!(
        of(PI_3),
        [
            "Raspberry Pi 3 Model B Plus Rev 1.3",
            "UnderVoltage  = false",
            "Temperature cpu-thermal = 53.692",
            "Written mmcblk0 = 100",
        ]
    );
    assert_eq!(
        of(PI_4),
        [
            "Raspberry Pi 4 Model B Rev 1.4",
            "UnderVoltage  = false",
            "Throttled  = true",
            "Temperature cpu-thermal = 41.868",
            "Signal wlan0 = -52",
            "Wear mmcblk0 = 20",
            "Reserve mmcblk0 = normal",
        ]
    );
    assert_eq!(of(PI_5), ["Raspberry Pi 5 Model B Rev 1.0", "Fan pwmfan 1 = 3054", "UnderVoltage  = true"]);
    assert_eq!(
        of(ZERO_2),
        [
            "Raspberry Pi Zero 2 W Rev 1.0",
            "UnderVoltage  = false",
            "Throttled  = false",
            "Temperature bcm2835_thermal = 38.628",
            "Signal wlan0 = -74",
        ]
    );
    assert_eq!(of(PC), ["Fan nct6775 1 = 0", "Fan CPU fan = 1180", "Fan nct6775 1 2 = 640"]);
    assert_eq!(of(&[]), [""; 0]);
}

#[test]
fn damaged_files_and_values_out_of_range_are_left_out() {
    for content in
        ["", "\n", "x", "-", "0x", "99999999999999999999", "1 1 1 1 1 1 x", "\u{7}\0", "0xff 0xff", "-300000"]
    {
        let files = [PI_3, PI_4, PI_5].concat();
        let values = [
            "proc/device-tree/model",
            "proc/net/wireless",
            "sys/class/thermal/thermal_zone0/temp",
            "sys/class/hwmon/hwmon1/in0_lcrit_alarm",
            "sys/class/hwmon/hwmon3/in0_lcrit_alarm",
            "sys/class/hwmon/hwmon2/fan1_input",
            "sys/block/mmcblk0/device/life_time",
            "sys/block/mmcblk0/device/pre_eol_info",
            "sys/block/mmcblk0/stat",
        ];
        let damaged = values.map(|path| (path, content));
        let lines: Vec<String> = of(&[&files[..], &damaged[..]].concat());
        let sensors: Vec<&String> = lines.iter().filter(|line| line.contains(" = ")).collect();
        // A fan or a zone may be 1 or 0, but nothing else makes sense of these.
        assert!(sensors.is_empty(), "{content:?}: {sensors:?}");
        assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{content:?}: {lines:?}");
    }
    let alone = |path: &str, content: &str| of(&[(path, content)]);
    for (life_time, wear) in
        [("0x00 0x00", None), ("0x01 0x00", Some(0)), ("0x0b 0x01", Some(100)), ("0x0c 0x01", None)]
    {
        let expected: Vec<String> = wear.iter().map(|wear| format!("Wear mmcblk1 = {wear}")).collect();
        assert_eq!(alone("sys/block/mmcblk1/device/life_time", life_time), expected, "{life_time}");
    }
    for state in ["0x00", "0x04", "1"] {
        assert_eq!(alone("sys/block/mmcblk1/device/pre_eol_info", state), [""; 0], "{state}");
    }
    // Not in dBm, and no network.
    for level in ["58.", "0", "-256.", "-"] {
        let table = format!("a\nb\nwlan0: 0000 50. {level} -256\n");
        assert_eq!(alone("proc/net/wireless", &table), [""; 0], "{level}");
    }
    assert_eq!(alone("proc/device-tree/model", &"x".repeat(100_000)), [""; 0]);
}

#[test]
fn what_is_not_text_is_harmless_and_there_are_never_too_many() {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    write(root.path(), PI_5);
    fs::write(at("proc/device-tree/model"), [0xff, 0xfe, 0]).unwrap();
    fs::write(at("sys/class/hwmon/hwmon2/fan1_input"), [0x80; 4096]).unwrap();
    // A folder instead of a file.
    fs::create_dir_all(at("sys/block/mmcblk0/stat")).unwrap();
    for number in 2..60 {
        fs::write(at(&format!("sys/class/hwmon/hwmon2/fan{number}_input")), "900\n").unwrap();
    }
    let mut board = Board::new(root.path());
    board.refresh();
    let fans = board.sensors().iter().filter(|sensor| sensor.kind == Kind::Fan).count();
    assert_eq!((board.model(), fans), (None, MAX_SENSORS));
}

#[test]
fn a_sensor_that_was_seen_stays_without_a_value_and_comes_back() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), ZERO_2);
    let mut board = Board::new(root.path());
    board.refresh();
    let before = board.sensors().to_vec();
    fs::remove_file(root.path().join("proc/net/wireless")).unwrap();
    board.refresh();
    assert_eq!(board.value(Kind::Signal, "wlan0"), Value::Missing);
    assert_eq!(board.sensors().len(), before.len());
    write(root.path(), ZERO_2);
    board.refresh();
    assert_eq!(board.sensors(), before);
}
